using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Counts of one batch; adding those of all batches gives the file's.</summary>
public sealed record BatchStatistics
{
    /// <summary>Counts the rows of a batch.</summary>
    public static BatchStatistics Of(IReadOnlyList<Review> reviews, IReadOnlyList<Classification?> classifications, string model, double seconds) => throw new NotImplementedException();

    /// <summary>The counts of both.</summary>
    public static BatchStatistics operator +(BatchStatistics left, BatchStatistics right) => throw new NotImplementedException();
}
