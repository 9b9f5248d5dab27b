namespace ServerlessBert.Reviews;

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

    /// <summary>
    /// The whole number that a label column holds where <see cref="Stars"/> come from one, also out of the range of Hugging
    /// Face's 0 to 4: some files count labels from 1.
    /// </summary>
    public int? Label { get; init; }

    /// <summary>
    /// Why the file's rating of this row was not taken, or null. The row is classified all the same: only its label is missing.
    /// </summary>
    public RowError? LabelError { get; init; }

    /// <summary>How many malformed UTF-8 sequences (or unpaired surrogate escapes) of the row became U+FFFD.</summary>
    public int InvalidUtf8 { get; init; }

    /// <summary>Why the row cannot be classified, or null.</summary>
    public RowError? Error { get; init; }
}

/// <summary>A run of whole records of a file, as a byte range of its (decompressed, UTF-8) content.</summary>
public sealed record ReviewBatch
{
    /// <summary>The batch's place in the file, from 0 without gaps.</summary>
    public required int Index { get; init; }

    /// <summary>Where its first record starts, in bytes.</summary>
    public required long Offset { get; init; }

    /// <summary>Its length in bytes, to the end of its last record without that record's line break.</summary>
    public required long Length { get; init; }

    /// <summary>The row number of its first record.</summary>
    public required long FirstRow { get; init; }

    /// <summary>How many rows it holds.</summary>
    public required int Rows { get; init; }

    /// <summary>Set when every row of the batch is this error and its bytes need not be read, as with a line over the limit.</summary>
    public RowError? Error { get; init; }
}

/// <summary>The rows of a batch that have a text to classify; the others keep their place with their error.</summary>
/// <param name="rows">All rows, in order.</param>
public sealed class ReadableRows(IReadOnlyList<Review> rows)
{
    /// <summary>The texts, in order.</summary>
    public IReadOnlyList<string> Texts { get; } = [.. rows.Where(row => row.Error is null).Select(row => row.Text)];

    /// <summary>
    /// Puts what was found for <see cref="Texts"/> at its rows' places: as many as there are rows, null where a row has an error.
    /// </summary>
    /// <param name="found">One a text, in order.</param>
    /// <exception cref="ArgumentException">There are not as many as there are texts.</exception>
    public T?[] Align<T>(IReadOnlyList<T> found) where T : class
    {
        if (found.Count != Texts.Count)
            throw new ArgumentException($"{found.Count} answers do not belong to {Texts.Count} texts.", nameof(found));
        int next = 0;
        return [.. rows.Select(row => row.Error is null ? found[next++] : null)];
    }
}
