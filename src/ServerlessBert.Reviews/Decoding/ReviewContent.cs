using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>A file's form by its name, and its content as plain UTF-8.</summary>
public static class ReviewContent
{
    private static readonly (string Ending, ReviewFormat Format)[] Endings =
    [
        (".jsonl", ReviewFormat.JsonLines),
        (".ndjson", ReviewFormat.JsonLines),
        (".json", ReviewFormat.JsonLines),
        (".csv", ReviewFormat.Csv),
        (".tsv", ReviewFormat.Tsv),
        (".txt", ReviewFormat.Text),
    ];

    // Not among the endings: Parquet compresses by itself, so there is no .parquet.gz.
    private const string ParquetEnding = ".parquet";

    /// <summary>
    /// The form that a name's endings tell (.jsonl, .ndjson, .json, .csv, .tsv, .txt, each also .gz, and .parquet), in any
    /// case. A Parquet file's is JSON Lines, as which it is rewritten.
    /// </summary>
    /// <param name="name">A file's or blob's name, with or without its path.</param>
    /// <param name="format">The form.</param>
    /// <param name="isCompressed">Whether the name says gzip; the content's own first bytes decide what is done.</param>
    /// <param name="reason">One sentence for the user when the name tells no form.</param>
    public static bool TryGetFormat(string name, out ReviewFormat format, out bool isCompressed, [NotNullWhen(false)] out string? reason)
    {
        isCompressed = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        string plain = isCompressed ? name[..^3] : name;
        if (IsParquet(name))
        {
            format = ReviewFormat.JsonLines;
            reason = null;
            return true;
        }
        foreach ((string ending, ReviewFormat candidate) in Endings)
        {
            if (!plain.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) continue;
            format = candidate;
            reason = null;
            return true;
        }
        format = default;
        reason = $"The name '{name}' does not say what the file holds; "
            + $"let it end in .jsonl, .ndjson, .json, .csv, .tsv or .txt, each also with .gz, or in .parquet.";
        return false;
    }

    /// <summary>How many bytes of a file <see cref="NeedsRewriting"/> wants to see.</summary>
    public const int MagicBytes = 512;

    /// <summary>
    /// Whether the file is not the plain text that batches range-read: gzip by its magic, UTF-16 by its mark or its NULs, a
    /// JSON array by its bracket, Parquet by its name (a text may begin with Parquet's magic, PAR1, too).
    /// </summary>
    /// <param name="name">The file's name.</param>
    /// <param name="head">The file's first bytes, <see cref="MagicBytes"/> or more of them where it has as many.</param>
    public static bool NeedsRewriting(string name, ReadOnlySpan<byte> head) =>
        IsParquet(name) || IsGzip(head) || IsUtf16LittleEndian(head) || IsUtf16BigEndian(head)
            || (IsJson(name) && JsonArrayStream.Begins(head));

    /// <summary>
    /// The content decompressed and as UTF-8, Parquet as JSON Lines, within the limits; reading past one throws <see
    /// cref="ReviewFileException"/>.
    /// </summary>
    /// <remarks>
    /// It streams: memory does not grow with the content, but with a Parquet file's largest row group. Nothing is read before the
    /// first read. Unpaired surrogates of UTF-16 become U+FFFD. The stream returned owns the one given.
    /// </remarks>
    /// <param name="content">The file as it was dropped, from its first byte; only read forward, but for Parquet, whose table of
    /// contents is at its end: that must seek.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="options">The limits.</param>
    /// <returns>A stream whose reads throw <see cref="ReviewFileException"/> with <c>too_large</c>, <c>decompression_ratio</c>,
    /// <c>damaged_gzip</c>,
    /// <c>damaged_json</c>, or for Parquet <c>damaged_parquet</c>, <c>no_text_column</c>, <c>too_many_rows</c>,
    /// <c>too_many_row_groups</c> or
    /// <c>row_group_too_large</c>.</returns>
    public static Stream OpenAsUtf8(Stream content, string name, ReviewOptions options) =>
        OpenAsUtf8(content, name, options, leaveOpen: false);

    /// <inheritdoc cref="OpenAsUtf8(Stream, string, ReviewOptions)"/>
    internal static Stream OpenAsUtf8(Stream content, string name, ReviewOptions options, bool leaveOpen) => IsParquet(name)
        ? new ParquetContentStream(content, options, leaveOpen)
        : new Utf8ContentStream(content, IsJson(name), options, leaveOpen);

    internal static bool IsParquet(string name) => name.EndsWith(ParquetEnding, StringComparison.OrdinalIgnoreCase);

    internal static bool IsGzip(ReadOnlySpan<byte> head) => head.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]);

    internal static bool IsJson(string name) =>
        TryGetFormat(name, out ReviewFormat format, out _, out _) && format == ReviewFormat.JsonLines && !IsParquet(name);

    internal static bool IsUtf16LittleEndian(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]) || HasNuls(head, inSecondBytes: true);

    internal static bool IsUtf16BigEndian(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]) || HasNuls(head, inSecondBytes: false);

    // UTF-16 without a mark: in languages of Latin letters every other byte is 0, and none of the rest.
    private static bool HasNuls(ReadOnlySpan<byte> head, bool inSecondBytes)
    {
        const int fewest = 8;
        const double share = 0.6;
        head = head[..Math.Min(head.Length & ~1, MagicBytes)];
        int first = 0, second = 0;
        for (int at = 0; at < head.Length; at += 2)
        {
            if (head[at] == 0) first++;
            if (head[at + 1] == 0) second++;
        }
        (int nuls, int others) = inSecondBytes ? (second, first) : (first, second);
        return head.Length >= fewest && others == 0 && nuls >= head.Length / 2 * share;
    }

    internal static ReviewFileException TooManyRows(ReviewOptions options) =>
        new("too_many_rows",
            string.Create(CultureInfo.InvariantCulture, $"The file has more than {options.MaxRows:N0} rows; split it or raise MaxRows."));

    internal static ReviewFileException TooLarge(ReviewOptions options) =>
        new("too_large",
            string.Create(CultureInfo.InvariantCulture,
            $"The file's content is larger than {options.MaxBytes:N0} bytes; split it or raise MaxBytes."));
}
