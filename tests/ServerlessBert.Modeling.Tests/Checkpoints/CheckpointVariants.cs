using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Tests.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

/// <summary>Checkpoint folders in the forms that the hub has them, made from one small model.</summary>
internal sealed class CheckpointVariants : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public CheckpointVariants(BertConfig? config = null)
    {
        Model = BertForSequenceClassificationTests.Seeded(config ?? BertForSequenceClassificationTests.Small);
        Weights = Model.named_parameters().ToDictionary(each => each.name, each => (Tensor)each.parameter);
        Model.Config.Save(Path);
    }

    public BertForSequenceClassification Model { get; }

    /// <summary>The tensors to write: a test adds, removes and renames before <see cref="Write"/>.</summary>
    public Dictionary<string, Tensor> Weights { get; set; }

    public string Path => folder.Path;

    public string File(string name) => folder.File(name);

    public void Write(ScalarType? dtype = null) => SafetensorsWriter.Write(File("model.safetensors"), Weights, dtype);

    public void Rename(Func<string, string> name) => Weights = Weights.ToDictionary(each => name(each.Key), each => each.Value);

    public void Remove(Func<string, bool> key) => Weights = Weights.Where(each => !key(each.Key)).ToDictionary();

    /// <summary>Whether a model gives the same bits as the one the folder was made from.</summary>
    public void RequireSameLogits(BertForSequenceClassification loaded, double tolerance = 0)
    {
        loaded.eval();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var ids = tensor(new long[] { 2, 7, 9, 3, 2, 8, 3, 0 }, [2, 4]);
        var mask = tensor(new long[] { 1, 1, 1, 1, 1, 1, 1, 0 }, [2, 4]);
        double difference = BertForSequenceClassificationTests.Difference(Model.call(ids, mask, null), loaded.call(ids, mask, null));
        Assert.True(difference <= tolerance, $"logits differ by {difference}");
    }

    public LoadedModel Load(CheckpointOptions? options = null) => LoadedModel.Load(Path, options);

    public string Refusal(CheckpointOptions? options = null) => Assert.ThrowsAny<CheckpointException>(() => Load(options)).Message;

    public void Dispose()
    {
        Model.Dispose();
        folder.Dispose();
    }
}
