using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Counts of one batch; adding those of all batches gives the file's.</summary>
/// <remarks>
/// Adding is associative and commutative, exactly: sums of fractions are decimals of few places, not floats. So a
/// file's counts do not depend on which host added what first. Serializable with System.Text.Json.
/// </remarks>
public sealed record BatchStatistics
{
    /// <summary>No rows: the sum's neutral element.</summary>
    public static BatchStatistics Empty { get; } = new();

    /// <summary>All rows.</summary>
    public long Rows { get; init; }

    /// <summary>Rows with a prediction; the others have an error.</summary>
    public long Predictions { get; init; }

    /// <summary>Error code → rows, in the codes' ordinal order.</summary>
    public IReadOnlyDictionary<string, long> Errors { get; init => field = Counts.ByName(value); } = Counts.ByName([]);

    /// <summary>Predicted stars → rows, ascending.</summary>
    public IReadOnlyDictionary<int, long> Stars { get; init => field = Counts.ByNumber(value); } = Counts.ByNumber([]);

    /// <summary>Model version → rows it predicted, in the versions' ordinal order, which is that of time.</summary>
    public IReadOnlyDictionary<string, long> Models { get; init => field = Counts.ByName(value); } = Counts.ByName([]);

    /// <summary>Dtype → rows that a model predicted in it: hosts with different processors may differ in the last digits.</summary>
    public IReadOnlyDictionary<string, long> Dtypes { get; init => field = Counts.ByName(value); } = Counts.ByName([]);

    /// <summary>Tokens that the model saw.</summary>
    public long Tokens { get; init; }

    /// <summary>How many of them were [UNK].</summary>
    public long UnknownTokens { get; init; }

    /// <summary>Reviews longer than the model's maximum.</summary>
    public long Truncated { get; init; }

    /// <summary>Malformed UTF-8 sequences that became U+FFFD.</summary>
    public long InvalidUtf8 { get; init; }

    /// <summary>Rows whose known rating could not be read: classified, but not labelled.</summary>
    public long InvalidLabels { get; init; }

    /// <summary>Predicted rows whose rating is known: the base of accuracy and mean absolute error.</summary>
    public long Labelled { get; init; }

    /// <summary>Labelled rows whose rating was predicted.</summary>
    public long Correct { get; init; }

    /// <summary>Sum over labelled rows of |predicted - known| in stars.</summary>
    public long AbsoluteErrorSum { get; init; }

    /// <summary>Sum over predictions of their confidence, each as written, with four decimals.</summary>
    public decimal ConfidenceSum { get; init => field = PredictionOutcome.WithoutZeros(value); }

    /// <summary>Seconds of work, to the millisecond.</summary>
    public decimal Seconds { get; init => field = PredictionOutcome.WithoutZeros(value); }

    /// <summary>What a version in shadow said; null where none ran.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ShadowStatistics? Shadow { get; init; }

    /// <summary>Counts the rows of a batch.</summary>
    /// <param name="reviews">The rows.</param>
    /// <param name="classifications">Theirs, in the same order; null where the review has an error.</param>
    /// <param name="model">The version of the model.</param>
    /// <param name="seconds">How long the batch took.</param>
    /// <param name="dtype">The dtype that the model computed in; null where none computed.</param>
    /// <exception cref="ArgumentException">The lists differ in length, or a review has neither error nor classification.</exception>
    public static BatchStatistics Compute(IReadOnlyList<Review> reviews, IReadOnlyList<Classification?> classifications, string model,
        double seconds, string? dtype = null)
    {
        if (reviews.Count != classifications.Count)
            throw new ArgumentException($"{reviews.Count} reviews need as many classifications, not {classifications.Count}.",
                nameof(classifications));

        RowError?[] errors = [.. reviews.Zip(classifications, PredictionOutcome.ErrorOf)];
        (Review Review, Classification Said)[] predictions =
            [.. reviews.Zip(classifications).Where((_, row) => errors[row] is null).Select(pair => (pair.First, pair.Second!))];
        (int Known, int Said)[] labelled = [.. predictions.Where(row => row.Review.Stars is not null).Select(row =>
            (row.Review.Stars!.Value, row.Said.Stars))];
        return new BatchStatistics
        {
            Rows = reviews.Count,
            Predictions = predictions.Length,
            Errors = Counts.Compute(errors.OfType<RowError>().Select(error => error.Code)),
            Stars = Counts.Compute(predictions.Select(row => row.Said.Stars)),
            Models = Counts.Compute(predictions.Select(_ => model)),
            Dtypes = dtype is null ? Counts.ByName([]) : Counts.Compute(predictions.Select(_ => dtype)),
            Tokens = predictions.Sum(row => (long)row.Said.Tokens),
            UnknownTokens = predictions.Sum(row => (long)row.Said.UnknownTokens),
            Truncated = predictions.LongCount(row => row.Said.IsTruncated),
            InvalidUtf8 = reviews.Sum(review => (long)review.InvalidUtf8),
            InvalidLabels = reviews.LongCount(review => review.LabelError is not null),
            Labelled = labelled.Length,
            Correct = labelled.LongCount(row => row.Known == row.Said),
            AbsoluteErrorSum = labelled.Sum(row => (long)Math.Abs(row.Known - row.Said)),
            ConfidenceSum = predictions.Sum(row => PredictionOutcome.Round(row.Said.Confidence)),
            Seconds = Math.Round((decimal)seconds, 3),
        };
    }

    /// <summary>The counts of both.</summary>
    public static BatchStatistics operator +(BatchStatistics left, BatchStatistics right) => new()
    {
        Rows = left.Rows + right.Rows,
        Predictions = left.Predictions + right.Predictions,
        Errors = Counts.Sum(left.Errors, right.Errors),
        Stars = Counts.Sum(left.Stars, right.Stars),
        Models = Counts.Sum(left.Models, right.Models),
        Dtypes = Counts.Sum(left.Dtypes, right.Dtypes),
        Tokens = left.Tokens + right.Tokens,
        UnknownTokens = left.UnknownTokens + right.UnknownTokens,
        Truncated = left.Truncated + right.Truncated,
        InvalidUtf8 = left.InvalidUtf8 + right.InvalidUtf8,
        InvalidLabels = left.InvalidLabels + right.InvalidLabels,
        Labelled = left.Labelled + right.Labelled,
        Correct = left.Correct + right.Correct,
        AbsoluteErrorSum = left.AbsoluteErrorSum + right.AbsoluteErrorSum,
        ConfidenceSum = left.ConfidenceSum + right.ConfidenceSum,
        Seconds = left.Seconds + right.Seconds,
        Shadow = left.Shadow is null ? right.Shadow : right.Shadow is null ? left.Shadow : left.Shadow + right.Shadow,
    };
}

/// <summary>Counts by a key, always in the keys' order, so that equal counts are written equally.</summary>
internal static class Counts
{
    /// <summary>How often each value is there.</summary>
    public static Dictionary<T, long> Compute<T>(IEnumerable<T> values)
        where T : notnull => values.GroupBy(value => value).ToDictionary(group => group.Key, group => group.LongCount());

    /// <summary>The counts of both.</summary>
    public static Dictionary<T, long> Sum<T>(IReadOnlyDictionary<T, long> left, IReadOnlyDictionary<T, long> right)
        where T : notnull =>
            left.Concat(right).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));

    /// <summary>The same counts in the names' ordinal order.</summary>
    public static SortedDictionary<string, long> ByName(IEnumerable<KeyValuePair<string, long>> counts) =>
        new(counts.ToDictionary(), StringComparer.Ordinal);

    /// <summary>The same counts in the numbers' order.</summary>
    public static SortedDictionary<int, long> ByNumber(IEnumerable<KeyValuePair<int, long>> counts) => new(counts.ToDictionary());
}
