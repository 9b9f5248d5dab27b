using System.Diagnostics.CodeAnalysis;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>A file's form by its name, and its content as plain UTF-8.</summary>
public static class ReviewContent
{
    /// <summary>The form that a name's endings tell (.jsonl, .ndjson, .csv, .tsv, .txt, each also .gz).</summary>
    public static bool TryGetFormat(string name, out ReviewFormat format, out bool isCompressed, [NotNullWhen(false)] out string? reason) => throw new NotImplementedException();

    /// <summary>Whether the file's bytes are not the plain UTF-8 that batches range-read: gzip by its magic, UTF-16 by its BOM.</summary>
    public static bool NeedsRewriting(ReadOnlySpan<byte> head) => throw new NotImplementedException();

    /// <summary>The content decompressed and as UTF-8, within the limits; reading past one throws <see cref="ReviewFileException"/>.</summary>
    public static Stream OpenAsUtf8(Stream content, ReviewOptions options) => throw new NotImplementedException();
}
