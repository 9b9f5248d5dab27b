using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>A copy of the weights that did best on the held-out rows, kept in memory while training goes on.</summary>
internal sealed class BestWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> weights = [];

    /// <summary>The copies by key; empty before the first <see cref="Keep"/>.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => weights;

    /// <summary>Copies the weights that <paramref name="model"/> has now.</summary>
    public void Keep(BertForSequenceClassification model)
    {
        using var noGradient = no_grad();
        foreach ((string key, Tensor tensor) in model.state_dict())
        {
            if (weights.TryGetValue(key, out Tensor? kept)) kept.copy_(tensor);
            else weights[key] = tensor.detach().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>Puts the kept weights back; nothing where none were kept.</summary>
    public void Restore(BertForSequenceClassification model)
    {
        using var noGradient = no_grad();
        foreach ((string key, Tensor tensor) in model.state_dict())
            if (weights.TryGetValue(key, out Tensor? kept)) tensor.copy_(kept);
    }

    /// <summary>Forgets the copies.</summary>
    public void Clear()
    {
        foreach (Tensor tensor in weights.Values) tensor.Dispose();
        weights.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
