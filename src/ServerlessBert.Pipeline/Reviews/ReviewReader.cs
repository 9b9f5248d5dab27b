namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Reads the rows of one batch from its bytes.</summary>
public static class ReviewReader
{
    /// <summary>Exactly <c>batch.Rows</c> reviews in order; what cannot be read is a review with an error.</summary>
    public static IReadOnlyList<Review> Read(ReadOnlyMemory<byte> content, ReviewLayout layout, ReviewBatch batch, ReviewOptions options) => throw new NotImplementedException();
}
