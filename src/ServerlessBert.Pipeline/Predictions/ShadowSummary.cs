namespace ServerlessBert.Pipeline.Predictions;

/// <summary>What a run's summary says of the version that ran in shadow.</summary>
public sealed record ShadowSummary
{
    /// <summary>The version.</summary>
    public required string Model { get; init; }

    /// <summary>Batches that it took and managed.</summary>
    public long Batches { get; init; }

    /// <summary>Why it did not manage a batch → batches: no_room, timeout, unavailable or failed.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }

    /// <summary>Rows that both versions predicted.</summary>
    public long Rows { get; init; }

    /// <summary>Share of these rows to which both gave the same stars; null when there are none.</summary>
    public decimal? Agreement { get; init; }

    /// <summary>Mean of |shadow - live| in stars; null when there are no rows.</summary>
    public decimal? MeanDifference { get; init; }

    /// <summary>Stars that it gave → rows.</summary>
    public required IReadOnlyDictionary<int, long> Stars { get; init; }

    /// <summary>Rows whose rating is known.</summary>
    public long Labelled { get; init; }

    /// <summary>Its accuracy on the labelled rows; null when none is labelled.</summary>
    public decimal? Accuracy { get; init; }

    /// <summary>The live version's accuracy on the same rows.</summary>
    public decimal? LiveAccuracy { get; init; }

    /// <summary>The summary that a run's counts make.</summary>
    public static ShadowSummary Of(string model, ShadowStatistics counts) => new()
    {
        Model = model,
        Batches = counts.Batches,
        Failures = counts.Failures,
        Rows = counts.Rows,
        Agreement = PredictionOutcome.Mean(counts.Agreed, counts.Rows),
        MeanDifference = PredictionOutcome.Mean(counts.DifferenceSum, counts.Rows),
        Stars = counts.Stars,
        Labelled = counts.Labelled,
        Accuracy = PredictionOutcome.Mean(counts.Correct, counts.Labelled),
        LiveAccuracy = PredictionOutcome.Mean(counts.LiveCorrect, counts.Labelled),
    };
}
