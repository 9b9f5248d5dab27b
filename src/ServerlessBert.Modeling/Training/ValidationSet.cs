using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>The rows that a training is measured on.</summary>
/// <param name="rows">The rows; may be empty.</param>
/// <param name="checkpoint">The model that is trained, on <paramref name="device"/>.</param>
/// <param name="device">Where it computes.</param>
/// <param name="tokenBudget">Tokens of a forward pass; null takes that of inference.</param>
internal sealed class ValidationSet(EncodedReviews rows, Checkpoint checkpoint, Device device, int? tokenBudget = null)
{
    private readonly int budget = tokenBudget ?? new InferenceOptions().TokenBudget;

    /// <summary>Whether there is nothing to measure on.</summary>
    public bool IsEmpty => rows.Count == 0;

    /// <summary>Their labels.</summary>
    public IReadOnlyList<int> Labels => rows.Labels;

    /// <summary>
    /// The model's probabilities, [rows][labels], in the rows' order and each independent of the others; leaves it in evaluation
    /// mode.
    /// </summary>
    public float[][] Probabilities()
    {
        checkpoint.Model.eval();
        var probabilities = new float[rows.Count][];
        foreach (int[] pass in TokenBudgetBatches.Group(rows.Lengths, budget))
        {
            float[][] results =
                ForwardPass.Probabilities(checkpoint.Model, [.. pass.Select(row => rows.Ids[row])], checkpoint.Tokenizer.PaddingId, device);
            for (int i = 0; i < pass.Length; i++) probabilities[pass[i]] = results[i];
        }
        return probabilities;
    }

    /// <summary>How good probabilities of <see cref="Probabilities"/> are.</summary>
    public EvaluationMetrics MetricsOf(IReadOnlyList<float[]> probabilities) => EvaluationMetrics.Of(rows.Labels, probabilities);
}

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

/// <summary>An evaluation in the course of a training.</summary>
/// <param name="Step">The step after which it was made.</param>
/// <param name="TrainingLoss">Mean loss of up to a hundred steps before it, in nats.</param>
/// <param name="Metrics">How good the weights were on the held-out rows.</param>
public sealed record EvaluatedStep(int Step, double TrainingLoss, EvaluationMetrics Metrics);
