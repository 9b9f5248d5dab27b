namespace ServerlessBert.Reviews;

/// <summary>A file that cannot be classified as a whole: no text column, a gzip bomb, a binary file.</summary>
/// <param name="code">A stable name such as <c>no_text_column</c>.</param>
/// <param name="message">One sentence: what, where, what to do.</param>
public sealed class ReviewFileException(string code, string message) : ServerlessBertException(message)
{
    /// <summary>A stable name such as <c>no_text_column</c>.</summary>
    public string Code { get; } = code;
}
