using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public sealed class EncodedBatchTests
{
    private static readonly BertTokenizer Tokenizer = BertTokenizer.FromVocabulary(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "food"], new BertTokenizerOptions { LowerCase = true, ModelMaxLength = 8 });

    [Fact]
    public void Texts_are_padded_to_the_longest_of_them_by_default()
    {
        using EncodedBatch batch = Tokenizer.Encode(["good food", "good"]);
        Assert.Equal([2, 4], batch.InputIds.shape);
        Assert.Equal([2, 5, 6, 3, 2, 5, 3, 0], batch.InputIds.data<long>().ToArray());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 0], batch.AttentionMask.data<long>().ToArray());
        Assert.All(batch.TokenTypeIds.data<long>().ToArray(), type => Assert.Equal(0, type));
    }

    [Fact]
    public void Padding_to_the_maximum_gives_every_batch_the_same_shape()
    {
        using EncodedBatch batch = Tokenizer.Encode(["good"], PaddingStrategy.MaxLength),
            shorter = Tokenizer.Encode(["good"], PaddingStrategy.MaxLength, maxLength: 5);
        Assert.Equal([1, 8], batch.InputIds.shape);
        Assert.Equal([1, 5], shorter.InputIds.shape);
    }

    [Fact]
    public void A_long_text_is_truncated_to_the_maximum()
    {
        using EncodedBatch batch = Tokenizer.Encode([string.Join(' ', Enumerable.Repeat("good", 50))]);
        Assert.Equal([1, 8], batch.InputIds.shape);
        Assert.Equal(Tokenizer.SeparatorId, batch.InputIds[0, 7].item<long>());
    }

    [Fact]
    public void No_text_at_all_is_refused() =>
        Assert.Contains(
            "give at least one", Assert.Throws<ArgumentException>(() => Tokenizer.Encode(Array.Empty<string>())).Message,
            StringComparison.Ordinal);
}
