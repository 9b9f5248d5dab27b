using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Trainer;

/// <summary>Compares a candidate with the live model on the same rows, both in float32 as the functions would load them.</summary>
/// <param name="registry">The models.</param>
/// <param name="rows">The rows that decide.</param>
/// <param name="rules">What it takes to pass.</param>
/// <param name="folder">Where the live model is downloaded to.</param>
internal sealed class ModelComparison(ModelRegistry registry, IReadOnlyList<LabelledReview> rows, GateRules rules, string folder)
{
    private readonly int[] truth = [.. rows.Select(row => row.Label)];

    /// <summary>Decides about the model in a folder.</summary>
    public async Task<PromotionGate> DecideAsync(string candidate, CancellationToken cancellationToken)
    {
        int[] answers = Answers(candidate, cancellationToken);
        if (await registry.CurrentAsync(cancellationToken) is not { Version: var live }) return PromotionGate.Decide(truth, answers, null, null, rules);
        try
        {
            string current = Path.Combine(folder, live);
            await registry.DownloadAsync(live, current, cancellationToken);
            return PromotionGate.Decide(truth, answers, live, Answers(current, cancellationToken), rules);
        }
        catch (Exception exception) when (exception is ModelUnavailableException or CheckpointException or TrainingException)
        {
            return PromotionGate.WithoutComparison(truth, answers, live, exception.Message);
        }
    }

    private int[] Answers(string model, CancellationToken cancellationToken)
    {
        using var classifier = ReviewClassifier.Load(model, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        if (classifier.NumLabels <= truth.Max())
            throw new TrainingException($"it knows {classifier.NumLabels} ratings and the data has more; promote a model of five ratings by hand.");
        return [.. classifier.Classify([.. rows.Select(row => row.Text)], cancellationToken).Select(answer => answer.Stars - 1)];
    }
}
