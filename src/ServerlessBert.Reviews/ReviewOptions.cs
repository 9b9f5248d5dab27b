using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Reviews;

/// <summary>How files are read and cut: names of fields, sizes and limits, each with its default and the reason.</summary>
public sealed record ReviewOptions
{
    /// <summary>
    /// Names that a text column or property may have, first match wins; case, spaces, hyphens and underscores do not count.
    /// A name with a point is also a path into nested fields. The defaults are those of Yelp, Amazon, app stores, Trustpilot
    /// and the best-known published data sets.
    /// </summary>
    [MinLength(1)]
    public IReadOnlyList<string> TextFields { get; init; } =
        ["text", "review", "review_text", "review_body", "review_content", "reviews.text", "content", "body", "comment", "comments"];

    /// <summary>Names of the id.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> IdFields { get; init; } = ["id", "review_id", "reviews.id"];

    /// <summary>
    /// Names of a rating from 1 to 5. A score counts only where there is no label: classifiers write both, the score being a
    /// probability.
    /// </summary>
    [MinLength(1)]
    public IReadOnlyList<string> StarsFields { get; init; } =
        ["stars", "rating", "star_rating", "review_stars", "review_rating", "reviews.rating", "overall", "score"];

    /// <summary>Names of a label from 0 to 4, Hugging Face's convention.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> LabelFields { get; init; } = ["label"];

    /// <summary>
    /// The encoding of files without a byte order mark: <c>utf-8</c>, <c>windows-1252</c>, or <c>auto</c>, which looks at the
    /// bytes.
    /// </summary>
    [AllowedValues("auto", "utf-8", "windows-1252")]
    public string Encoding { get; init; } = "auto";

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

    /// <summary>
    /// Most bytes out for one byte in of a compressed file, past the first 16 MiB: text compresses 3 to 20 times, a bomb 1,000.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxDecompressionRatio { get; init; } = 200;

    /// <summary>
    /// Most bytes of a Parquet row group's columns, decompressed. Writers' defaults are 128 MiB to 512 MiB for all columns.
    /// </summary>
    [Range(1, double.MaxValue)]
    public long MaxRowGroupBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Most blocks of a blob, an Azure limit: batches grow so that a file never needs more.</summary>
    [Range(1, 50_000)]
    public int MaxBatches { get; init; } = 50_000;
}
