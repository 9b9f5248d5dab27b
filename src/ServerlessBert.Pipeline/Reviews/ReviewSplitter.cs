namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Finds record boundaries in one pass and cuts a file into batches, without parsing the records.</summary>
public static class ReviewSplitter
{
    /// <summary>Reads the content once to its end.</summary>
    public static Task<ReviewFilePlan> SplitAsync(Stream content, ReviewFormat format, ReviewOptions options, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
