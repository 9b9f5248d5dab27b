using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Trainer;

/// <summary>Moves the pointer to a published version where the gate passed, and only from the model that the gate compared with.</summary>
internal sealed class Promotion(ModelRegistry registry, ILogger<Promotion> logger)
{
    // Each time another hand has moved the pointer in the moment between two calls.
    private const int MostComparisons = 3;

    /// <summary>Promotes a version, or says why not.</summary>
    /// <param name="version">The published version.</param>
    /// <param name="gate">What the gate said.</param>
    /// <param name="compareAgain">Compares with what is live now; null where the rows that decided are gone.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether the version went live by this training, and why or why not.</returns>
    public async Task<(bool IsPromoted, string Reason)> PromoteAsync(
        string version, PromotionGate gate, Func<Task<PromotionGate?>> compareAgain, CancellationToken cancellationToken)
    {
        for (int comparison = 1; ; comparison++)
        {
            ModelPointer? current = await registry.CurrentAsync(cancellationToken);
            // An earlier attempt came so far; what was done with the pointer since is not this training's to undo.
            bool wasPromoted = current is not null && (current.Version == version || current.History.Any(past => past.Version == version));
            if (wasPromoted) return (true, gate.Reason);
            if (!gate.Passed) return NotPromoted(version, current?.Version, gate.Reason);
            if (current?.Version == gate.Current)
            {
                try
                {
                    await registry.PromoteAsync(version, gate.Reason, onlyIfCurrent: gate.Current ?? "", cancellationToken);
                    logger.Promoted(version);
                    return (true, gate.Reason);
                }
                catch (ModelUnavailableException) when (comparison < MostComparisons)
                {
                    continue; // moved in between: looked at again
                }
            }
            logger.LiveModelMoved(current?.Version ?? "none", gate.Current ?? "none");
            if (comparison == MostComparisons || await compareAgain() is not { } again)
                return NotPromoted(version, current?.Version,
                    "the live model moved while this one was trained, and the two could not be compared on the same rows; "
                    + $"{gate.Reason}");
            gate = again;
        }
    }

    private (bool, string) NotPromoted(string version, string? live, string reason)
    {
        logger.NotPromoted(live ?? "no model", version);
        return (false, reason);
    }
}

/// <summary>Compares a candidate with the live model on the same rows, both in float32 as the functions would load them.</summary>
internal sealed class ModelComparison(ModelRegistry registry)
{
    /// <summary>Decides about a candidate.</summary>
    /// <param name="candidate">Its folder.</param>
    /// <param name="rows">The rows that decide.</param>
    /// <param name="rules">What it takes to pass.</param>
    /// <param name="folder">Where the live model is downloaded to.</param>
    /// <param name="cancellationToken">Ends the classifying between two forward passes.</param>
    public async Task<PromotionGate> DecideAsync(
        string candidate, IReadOnlyList<LabelledReview> rows, GateRules rules, string folder, CancellationToken cancellationToken)
    {
        int[] truth = [.. rows.Select(row => row.Label)];
        int[] answers = Answers(candidate, rows, cancellationToken);
        if (await registry.CurrentAsync(cancellationToken) is not { Version: var live })
            return PromotionGate.Decide(truth, answers, null, null, rules);
        try
        {
            string current = Path.Combine(folder, live);
            await registry.DownloadAsync(live, current, cancellationToken);
            return PromotionGate.Decide(truth, answers, live, Answers(current, rows, cancellationToken), rules);
        }
        catch (Exception exception) when (exception is ModelUnavailableException or CheckpointException or TrainingException)
        {
            return PromotionGate.WithoutComparison(truth, answers, live, exception.Message);
        }
    }

    private static int[] Answers(string model, IReadOnlyList<LabelledReview> rows, CancellationToken cancellationToken)
    {
        using var classifier = ReviewClassifier.Load(model, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        if (classifier.NumLabels <= rows.Max(row => row.Label))
            throw new TrainingException(
                $"it knows {classifier.NumLabels} ratings and the data has more; promote a model of five ratings by hand.");
        return [.. classifier.Classify([.. rows.Select(row => row.Text)], cancellationToken).Select(answer => answer.Stars - 1)];
    }
}
