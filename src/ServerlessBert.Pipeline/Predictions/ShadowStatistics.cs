using ServerlessBert.Modeling.Inference;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Counts of what a version in shadow said beside the live one; adding those of all batches gives the file's.</summary>
public sealed record ShadowStatistics
{
    /// <summary>Batches that it took and managed.</summary>
    public long Batches { get; init; }

    /// <summary>Why it did not manage a batch → batches.</summary>
    public IReadOnlyDictionary<string, long> Failures { get; init => field = Counts.ByName(value); } = Counts.ByName([]);

    /// <summary>Rows that both versions predicted.</summary>
    public long Rows { get; init; }

    /// <summary>Rows to which both gave the same stars.</summary>
    public long Agreed { get; init; }

    /// <summary>Sum over rows of |shadow - live| in stars.</summary>
    public long DifferenceSum { get; init; }

    /// <summary>Stars that it gave → rows, ascending.</summary>
    public IReadOnlyDictionary<int, long> Stars { get; init => field = Counts.ByNumber(value); } = Counts.ByNumber([]);

    /// <summary>Rows whose rating is known.</summary>
    public long Labelled { get; init; }

    /// <summary>Labelled rows that it predicted right.</summary>
    public long Correct { get; init; }

    /// <summary>Labelled rows that the live version predicted right.</summary>
    public long LiveCorrect { get; init; }

    /// <summary>Counts one batch.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="live">What the live version said, in the rows' order; null where a row has an error.</param>
    /// <param name="shadow">What the version in shadow said, in the same order.</param>
    public static ShadowStatistics Compute(IReadOnlyList<Review> rows, IReadOnlyList<Classification?> live,
        IReadOnlyList<Classification?> shadow)
    {
        (int? Known, int Live, int Shadow)[] both =
        [
            .. Enumerable.Range(0, rows.Count)
                .Where(row => IsPredicted(live[row]) && IsPredicted(shadow[row]))
                .Select(row => (rows[row].Stars, live[row]!.Stars, shadow[row]!.Stars)),
        ];
        return new ShadowStatistics
        {
            Batches = 1,
            Rows = both.Length,
            Agreed = both.LongCount(row => row.Live == row.Shadow),
            DifferenceSum = both.Sum(row => (long)Math.Abs(row.Live - row.Shadow)),
            Stars = Counts.Compute(both.Select(row => row.Shadow)),
            Labelled = both.LongCount(row => row.Known is not null),
            Correct = both.LongCount(row => row.Known == row.Shadow),
            LiveCorrect = both.LongCount(row => row.Known == row.Live),
        };
    }

    /// <summary>A batch that it did not manage.</summary>
    /// <param name="code">Why: no_room, timeout, unavailable or failed.</param>
    public static ShadowStatistics Failed(string code) => new() { Failures = new Dictionary<string, long> { [code] = 1 } };

    /// <summary>The counts of both.</summary>
    public static ShadowStatistics operator +(ShadowStatistics left, ShadowStatistics right) => new()
    {
        Batches = left.Batches + right.Batches,
        Failures = Counts.Sum(left.Failures, right.Failures),
        Rows = left.Rows + right.Rows,
        Agreed = left.Agreed + right.Agreed,
        DifferenceSum = left.DifferenceSum + right.DifferenceSum,
        Stars = Counts.Sum(left.Stars, right.Stars),
        Labelled = left.Labelled + right.Labelled,
        Correct = left.Correct + right.Correct,
        LiveCorrect = left.LiveCorrect + right.LiveCorrect,
    };

    // A model with broken weights gives probabilities that are no numbers; those are no opinion.
    private static bool IsPredicted(Classification? said) => said is not null && said.Probabilities.All(float.IsFinite);
}

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
    public static ShadowSummary Create(string model, ShadowStatistics counts) => new()
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
