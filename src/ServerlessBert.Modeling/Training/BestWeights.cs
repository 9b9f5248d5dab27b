using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>A copy of the weights that did best on the held-out rows, kept in memory while training goes on.</summary>
internal sealed class BestWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> weights = [];

    /// <summary>The best metrics so far.</summary>
    public EvaluationMetrics? Metrics { get; private set; }

    /// <summary>The step they were measured at.</summary>
    public int Step { get; private set; }

    /// <summary>Keeps the metrics, and the weights of <paramref name="model"/> unless it is null, where they beat the best accuracy. Without a model the newest counts.</summary>
    public void Offer(int step, EvaluationMetrics metrics, BertForSequenceClassification? model)
    {
        if (model is not null && Metrics is not null && metrics.Accuracy <= Metrics.Accuracy) return;
        (Step, Metrics) = (step, metrics);
        if (model is null) return;
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

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in weights.Values) tensor.Dispose();
    }
}
