using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;
using ServerlessBert.Modeling.Tokenization;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

[Collection(GlobalRandomState.Name)]
public sealed class CheckpointTests : IDisposable
{
    private static readonly string[] Vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "##ly", "food", "."];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_checkpoint_is_saved_and_loaded_whole()
    {
        using var created = Create();
        created.Model.eval();
        created.Save(folder.Path);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"],
            Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        using var loaded = Checkpoint.Load(folder.Path);
        loaded.Model.eval();
        Assert.Empty(loaded.Notes);
        Assert.Equal(created.Tokenizer.Encode("goodly bad food."), loaded.Tokenizer.Encode("goodly bad food."));
        using var ids = tensor(loaded.Tokenizer.Encode("goodly bad food.").Select(id => (long)id).ToArray()).unsqueeze(0);
        Assert.Equal(0, BertForSequenceClassificationTests.Difference(
            created.Model.call(ids, null, null), loaded.Model.call(ids, null, null)));
    }

    [Fact]
    public void The_seed_decides_the_weights()
    {
        using Checkpoint first = Create(1), again = Create(1), other = Create(2);
        Assert.True(Classifier(first).equal(Classifier(again)).all().item<bool>());
        Assert.False(Classifier(first).equal(Classifier(other)).all().item<bool>());
    }

    [Fact]
    public void A_vocabulary_larger_than_the_model_is_refused()
    {
        using var created = Create();
        created.Save(folder.Path);
        File.AppendAllLines(folder.File("vocab.txt"), Enumerable.Range(0, 100).Select(index => $"word{index}"));
        Assert.Contains(
            "The tokenizer has 110 tokens, but vocab_size is 12",
            Assert.Throws<CheckpointException>(() => Checkpoint.Load(folder.Path)).Message);
        Assert.Throws<ArgumentException>(() => Checkpoint.Create(created.Config with { VocabSize = 5 }, created.Tokenizer, 0));
    }

    [Fact]
    public void A_folder_without_a_vocabulary_is_refused()
    {
        using var created = Create();
        created.Save(folder.Path);
        File.Delete(folder.File("vocab.txt"));
        Assert.Contains("vocab.txt", Assert.Throws<CheckpointException>(() => Checkpoint.Load(folder.Path)).Message);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_refused_by_name()
    {
        string missing = folder.File("nowhere");
        Assert.Contains(missing, Assert.Throws<CheckpointException>(() => Checkpoint.Load(missing)).Message);
        Assert.Contains(missing, Assert.Throws<CheckpointException>(() => LoadedModel.Load(missing)).Message);
    }

    private static Checkpoint Create(long seed = 1) => Checkpoint.Create(
        BertForSequenceClassificationTests.Small with { VocabSize = 12 },
        BertTokenizer.FromVocabulary(Vocabulary, new BertTokenizerOptions()), seed);

    private static Tensor Classifier(Checkpoint checkpoint) => checkpoint.Model.get_parameter("classifier.weight")!;
}
