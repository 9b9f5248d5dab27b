using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Reviews;

/// <summary>How files are read and cut: names of fields, sizes and limits, each with its default and the reason.</summary>
public sealed record ReviewOptions
{
    /// <summary>Names that a text column or property may have, first match wins, case-insensitive.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> TextFields { get; init; } = ["text", "review", "review_text"];

    /// <summary>Names of the id.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> IdFields { get; init; } = ["id", "review_id"];

    /// <summary>Names of a rating from 1 to 5.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> StarsFields { get; init; } = ["stars", "rating"];

    /// <summary>Names of a label from 0 to 4, Hugging Face's convention.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> LabelFields { get; init; } = ["label"];

    /// <summary>Rows in one batch: at 20 reviews a second a core, well under the 20 s that a unit of work may take.</summary>
    [Range(1, 100_000)]
    public int BatchRows { get; init; } = 128;

    /// <summary>Bytes in one batch: long reviews make smaller batches, so that a batch's time is bounded too.</summary>
    [Range(1, 64 << 20)]
    public int BatchBytes { get; init; } = 128 * 1024;

    /// <summary>Longest record in bytes; a longer one is an error row (line_too_long).</summary>
    [Range(1, 256 << 20)]
    public int MaxRecordBytes { get; init; } = 1024 * 1024;

    /// <summary>Most rows of a file; a file with more is refused.</summary>
    [Range(1, double.MaxValue)]
    public long MaxRows { get; init; } = 50_000_000;

    /// <summary>Most bytes of a file, decompressed.</summary>
    [Range(1, double.MaxValue)]
    public long MaxBytes { get; init; } = 64L * 1024 * 1024 * 1024;

    /// <summary>Most bytes out for one byte in of a compressed file, past the first 16 MiB: text compresses 3 to 20 times, a bomb 1,000.</summary>
    [Range(1, int.MaxValue)]
    public int MaxDecompressionRatio { get; init; } = 200;

    /// <summary>Most bytes of a Parquet row group's columns, decompressed: a group is in memory at once. Writers' defaults are 128 MiB to 512 MiB for all columns.</summary>
    [Range(1, double.MaxValue)]
    public long MaxRowGroupBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Most blocks of a blob, an Azure limit: batches grow so that a file never needs more.</summary>
    [Range(1, 50_000)]
    public int MaxBatches { get; init; } = 50_000;
}
