namespace ServerlessBert.Pipeline.Reviews;

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
