using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One encoder layer's tensors as its packed form wants them, read when they are asked for. Use it in a dispose scope.</summary>
/// <param name="source">The checkpoint.</param>
/// <param name="layer">The layer, from 0.</param>
/// <param name="scale">What scores are multiplied by, 1 / √head: it goes into the query's weights, where it costs nothing.</param>
internal sealed class LayerWeights(IWeightSource source, int layer, double scale)
{
    private string Prefix => $"bert.encoder.layer.{layer}";

    /// <summary>A tensor of the layer.</summary>
    public Tensor this[string name] => source.Read($"{Prefix}.{name}");

    /// <summary>Query, key and value, or some of them, one below the other: [parts × hidden, hidden] or [parts × hidden].</summary>
    /// <param name="kind">weight or bias.</param>
    /// <param name="parts">Of query, key, value.</param>
    public Tensor Joined(string kind, params string[] parts) => cat([.. parts.Select(part => Projection(part, kind))], 0);

    private Tensor Projection(string part, string kind)
    {
        Tensor tensor = this[$"attention.self.{part}.{kind}"];
        // In float32, so that the product is rounded once.
        return part == "query" ? tensor.to(float32).mul(scale).to(tensor.dtype) : tensor;
    }
}
