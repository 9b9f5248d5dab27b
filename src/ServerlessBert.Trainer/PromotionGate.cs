using System.Globalization;
using ServerlessBert.Modeling;

namespace ServerlessBert.Trainer;

/// <summary>Whether a candidate goes live: gate.json beside the model says it to whoever asks later.</summary>
public sealed record PromotionGate
{
    /// <summary>The file's name in a version's folder.</summary>
    public const string FileName = "gate.json";

    /// <summary>Whether the candidate may go live.</summary>
    public required bool Passed { get; init; }

    /// <summary>Why or why not, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The candidate's accuracy on the held-out rows.</summary>
    public required double CandidateAccuracy { get; init; }

    /// <summary>The version that was live, or null.</summary>
    public string? Current { get; init; }

    /// <summary>Its accuracy on the same rows.</summary>
    public double? CurrentAccuracy { get; init; }

    /// <summary>How many rows decided.</summary>
    public required long Rows { get; init; }

    /// <summary>Compares a candidate with the live model on the same held-out rows.</summary>
    /// <param name="candidate">The candidate's metrics.</param>
    /// <param name="currentVersion">The live version, or null where none is.</param>
    /// <param name="current">Its metrics on the same rows.</param>
    /// <param name="tolerance">How much less accurate the candidate may be.</param>
    public static PromotionGate Decide(EvaluationMetrics candidate, string? currentVersion, EvaluationMetrics? current, double tolerance)
    {
        bool passed = current is null || candidate.Accuracy >= current.Accuracy - tolerance;
        return new PromotionGate
        {
            Passed = passed,
            Reason = string.Create(CultureInfo.InvariantCulture, $"accuracy {candidate.Accuracy:0.000} on {candidate.Rows} held-out rows; ") + (current is null
                ? "no model was live before"
                : string.Create(CultureInfo.InvariantCulture, $"{currentVersion} has {current.Accuracy:0.000} on the same rows, and at most {tolerance:0.###} less is accepted")),
            CandidateAccuracy = candidate.Accuracy,
            Current = currentVersion,
            CurrentAccuracy = current?.Accuracy,
            Rows = candidate.Rows,
        };
    }
}
