namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Why one row has no prediction.</summary>
/// <param name="Code">A stable name such as <c>missing_text</c>; also the metric's label.</param>
/// <param name="Message">One sentence: what, where, what to do.</param>
public sealed record RowError(string Code, string Message);
