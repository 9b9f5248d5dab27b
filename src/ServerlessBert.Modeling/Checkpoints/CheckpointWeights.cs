using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The weights of a checkpoint folder as tensors by key, without a module tree: for code that computes on its own.</summary>
public sealed class CheckpointWeights : IDisposable
{
    private CheckpointWeights(CheckpointPlan plan, Dictionary<string, Tensor> tensors) =>
        (Config, Notes, Tensors) = (plan.Config, plan.Notes, tensors);

    /// <summary>The folder's configuration.</summary>
    public BertConfig Config { get; }

    /// <summary>One-line remarks: what started fresh, what was dropped.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// Every tensor of BertForSequenceClassification by its key, on the CPU and outside of any dispose scope; whoever
    /// takes one out of the dictionary owns it.
    /// </summary>
    public Dictionary<string, Tensor> Tensors { get; }

    /// <summary>Reads a folder; tensors are converted one at a time to <paramref name="dtype"/>, null keeps the files' own.</summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint; every fault is named.</exception>
    public static CheckpointWeights Load(string folder, ScalarType? dtype = null, CheckpointOptions? options = null)
    {
        options ??= new CheckpointOptions();
        var config = BertConfig.Load(folder);
        using var files = CheckpointFolder.Open(folder);
        var plan = CheckpointPlan.Of(folder, files, config, options);
        var weights = new CheckpointWeights(plan, []);
        try
        {
            CheckpointLoading.Fill(plan, options, (key, shape) =>
                weights.Tensors[key] = empty(shape, dtype ?? StoredDtype(plan, key)).DetachFromDisposeScope());
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Frees the tensors that are still in the dictionary.</summary>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
        Tensors.Clear();
    }

    private static ScalarType StoredDtype(CheckpointPlan plan, string key) =>
        plan.Stored.TryGetValue(key, out var stored) ? stored.Entry.Dtype : ScalarType.Float32;
}
