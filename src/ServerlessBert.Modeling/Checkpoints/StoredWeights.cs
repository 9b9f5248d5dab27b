using ServerlessBert.Modeling.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>A checkpoint's tensors, one at a time, so that whoever converts them need not hold them all. Any thread may ask.</summary>
internal interface IWeightSource
{
    /// <summary>A tensor on the CPU by the module tree's key, in the number type it is stored in; the caller disposes it.</summary>
    Tensor Read(string key);

    /// <summary>Whether there is such a tensor: some models have no token types.</summary>
    bool Has(string key);
}

/// <summary>The weights of a model in memory.</summary>
/// <param name="tensors">By key; they stay their owner's.</param>
internal sealed class TensorsInMemory(IReadOnlyDictionary<string, Tensor> tensors) : IWeightSource
{
    public Tensor Read(string key) => tensors[key].alias();

    public bool Has(string key) => tensors.ContainsKey(key);
}

/// <summary>
/// An open checkpoint folder whose tensors are read when they are asked for, each with one copy: from the file into the tensor's
/// memory.
/// </summary>
internal sealed class StoredWeights : IWeightSource, IDisposable
{
    private readonly CheckpointFolder files;
    private readonly CheckpointPlan plan;

    private StoredWeights(CheckpointFolder files, CheckpointPlan plan) => (this.files, this.plan) = (files, plan);

    /// <summary>The folder's configuration.</summary>
    public BertConfig Config => plan.Config;

    /// <summary>Opens a folder that can classify, and checks that its tensors are those of its configuration.</summary>
    /// <exception cref="CheckpointException">The folder is not a sound checkpoint, or has no trained classifier; every fault is
    /// named.</exception>
    public static StoredWeights Open(string folder)
    {
        var config = BertConfig.Load(folder);
        var files = CheckpointFolder.Open(folder);
        try
        {
            return new StoredWeights(files, CheckpointPlan.Of(folder, files, config, new CheckpointOptions { RequireClassifier = true }));
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Tensor Read(string key) => plan.Stored[key].Reader.Read(plan.Stored[key].Entry);

    /// <inheritdoc/>
    public bool Has(string key) => plan.Stored.ContainsKey(key);

    /// <summary>Closes the files.</summary>
    public void Dispose() => files.Dispose();
}
