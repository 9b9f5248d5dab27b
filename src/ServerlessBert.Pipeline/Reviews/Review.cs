namespace ServerlessBert.Pipeline.Reviews;

/// <summary>One input row: a review to classify, or the reason why it is none. Rows in equal rows out.</summary>
public sealed record Review
{
    /// <summary>The row's number in its file, from 0.</summary>
    public required long Row { get; init; }

    /// <summary>The row's own id, where the file gives one.</summary>
    public string? Id { get; init; }

    /// <summary>The review's text; empty when <see cref="Error"/> is set.</summary>
    public string Text { get; init; } = "";

    /// <summary>The known rating, 1 to 5, where the file is labelled.</summary>
    public int? Stars { get; init; }

    /// <summary>The whole number that a label column holds where <see cref="Stars"/> come from one, also out of the range of Hugging Face's 0 to 4: some files count labels from 1.</summary>
    public int? Label { get; init; }

    /// <summary>Why the file's rating of this row was not taken, or null. The row is classified all the same: only its label is missing.</summary>
    public RowError? LabelError { get; init; }

    /// <summary>How many malformed UTF-8 sequences (or unpaired surrogate escapes) of the row became U+FFFD.</summary>
    public int InvalidUtf8 { get; init; }

    /// <summary>Why the row cannot be classified, or null.</summary>
    public RowError? Error { get; init; }
}
