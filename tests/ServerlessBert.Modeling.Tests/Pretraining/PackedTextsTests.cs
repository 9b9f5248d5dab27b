using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;

namespace ServerlessBert.Modeling.Tests.Pretraining;

public sealed class PackedTextsTests
{
    [Fact]
    public void Every_token_stands_in_one_piece_but_for_the_rest_that_fills_none()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        BertTokenizer tokenizer = checkpoint.Tokenizer;
        string[] texts = [.. SmallModels.Reviews(40).Select(review => review.Text)];

        var packed = new PackedTexts(texts, tokenizer, length: 16);
        IReadOnlyList<int[]> pieces = packed.Epoch(new Random(1));

        Assert.All(pieces, piece => Assert.Equal(16, piece.Length));
        Assert.All(pieces, piece => Assert.Equal(tokenizer.ClassificationId, piece[0]));
        var all = texts.SelectMany(text => tokenizer.Encode(text)[1..]).CountBy(id => id).ToDictionary();
        var seen = pieces.SelectMany(piece => piece[1..]).CountBy(id => id).ToDictionary();
        Assert.All(seen, pair => Assert.True(pair.Value <= all[pair.Key]));
        Assert.InRange(all.Values.Sum() - seen.Values.Sum(), 0, 14);
    }

    [Fact]
    public void Each_epoch_has_its_own_order_and_the_same_seed_the_same()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var packed = new PackedTexts(SmallModels.Reviews(40).Select(review => review.Text), checkpoint.Tokenizer, length: 16);
        var random = new Random(1);

        IReadOnlyList<int[]> first = packed.Epoch(random), second = packed.Epoch(random);

        Assert.NotEqual(first, second);
        Assert.Equal(first, packed.Epoch(new Random(1)));
    }

    [Fact]
    public void No_text_and_too_little_text_are_refused_with_what_to_do()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        Assert.Contains("no text", Assert.Throws<TrainingException>(() => new PackedTexts(["", "  "], checkpoint.Tokenizer, 16)).Message);
        string few = Assert.Throws<TrainingException>(() => new PackedTexts(["the food was good"], checkpoint.Tokenizer, 16)).Message;
        Assert.Contains("4 tokens", few);
        Assert.Contains("smaller sequence length", few);
    }
}
