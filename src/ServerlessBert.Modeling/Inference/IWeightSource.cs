using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

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
