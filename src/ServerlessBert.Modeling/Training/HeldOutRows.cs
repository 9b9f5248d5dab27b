using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The rows that a training is measured on.</summary>
/// <param name="rows">The rows; may be empty.</param>
/// <param name="checkpoint">The model that is trained, on <paramref name="device"/>.</param>
/// <param name="device">Where it computes.</param>
/// <param name="tokenBudget">Tokens of a forward pass; null takes that of inference.</param>
internal sealed class HeldOutRows(EncodedReviews rows, BertCheckpoint checkpoint, Device device, int? tokenBudget = null)
{
    private readonly int budget = tokenBudget ?? new InferenceOptions().TokenBudget;

    /// <summary>Whether there is nothing to measure on.</summary>
    public bool IsEmpty => rows.Count == 0;

    /// <summary>Their labels.</summary>
    public IReadOnlyList<int> Labels => rows.Labels;

    /// <summary>The model's probabilities, [rows][labels], in the rows' order and each independent of the others; leaves it in evaluation mode.</summary>
    public float[][] Probabilities()
    {
        checkpoint.Model.eval();
        var probabilities = new float[rows.Count][];
        foreach (int[] pass in TokenBudgetBatches.Group(rows.Lengths, budget))
        {
            float[][] results = ForwardPass.Probabilities(checkpoint.Model, [.. pass.Select(row => rows.Ids[row])], checkpoint.Tokenizer.PaddingId, device);
            for (int i = 0; i < pass.Length; i++) probabilities[pass[i]] = results[i];
        }
        return probabilities;
    }

    /// <summary>How good probabilities of <see cref="Probabilities"/> are.</summary>
    public EvaluationMetrics MetricsOf(IReadOnlyList<float[]> probabilities) => EvaluationMetrics.Of(rows.Labels, probabilities);
}
