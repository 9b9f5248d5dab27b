using System.Buffers;
using System.Collections.Concurrent;
using CsvHelper;

namespace ServerlessBert.Reviews.Records;

/// <summary>A review from a record of a delimited file.</summary>
internal static class DelimitedReview
{
    /// <summary>The review, or its error.</summary>
    public static Review Read(ReadOnlyMemory<byte> record, RowPlace place, DelimitedDialect dialect, ReviewLayout layout)
    {
        string[] fields = DelimitedRecord.Split(record, dialect, layout.Encoding, out int invalid);
        (int? stars, RowError? labelError) = RatingOf(fields, place, layout);
        var review = new Review
        {
            Row = place.Row,
            Id = Field(fields, layout.IdColumn) is { Length: > 0 } id ? id : null,
            Stars = stars,
            Label = Rating.IsMissing(Field(fields, layout.StarsColumn))
                && Field(fields, layout.LabelColumn) is { } label ? Rating.Whole(label) : null,
            LabelError = labelError,
            InvalidUtf8 = invalid,
        };
        int textColumn = layout.TextColumn
            ?? throw new ArgumentException("The layout of a delimited file with rows names its text column.", nameof(layout));
        // Who cuts such a row short trains on and classifies half a review.
        if (layout.Columns is { } columns && fields.Skip(columns).Any(field => field.AsSpan().Trim().Length > 0))
            return review with { Error = RowErrors.TooManyColumns(place, fields.Length, columns, dialect.Delimiter) };
        if (Field(fields, textColumn) is not { } text)
            return review with { Error = RowErrors.MissingColumn(place, fields.Length, textColumn) };
        if (string.IsNullOrWhiteSpace(text)) return review with { Error = RowErrors.EmptyText(place) };
        return review with { Text = text };
    }

    private static (int? Stars, RowError? Error) RatingOf(string[] fields, RowPlace place, ReviewLayout layout) =>
        Field(fields, layout.StarsColumn) is { } stars && !Rating.IsMissing(stars) ? Rating.OfStars(stars, place, "stars")
        : Field(fields, layout.LabelColumn) is { } label ? Rating.OfLabel(label, place, "label")
        : (null, null);

    private static string? Field(string[] fields, int? column) => column < fields.Length ? fields[column.Value] : null;
}

/// <summary>The fields of one delimited record, by CsvHelper.</summary>
/// <remarks>A record at a time: where records end is <see cref="RecordScanner"/>'s word alone, so that splitter and reader count
/// the same rows.</remarks>
internal static class DelimitedRecord
{
    private static readonly ConcurrentDictionary<char, CsvReaderOptions> OptionsByDelimiter = new();

    /// <summary>The fields, without their quotes, of a record; and how many malformed UTF-8 sequences became U+FFFD.</summary>
    public static string[] Split(ReadOnlyMemory<byte> record, DelimitedDialect dialect, string? encoding, out int invalid)
    {
        // Never given malformed bytes: FF FE would be a UTF-16 mark to the library.
        record = TextBytes.ToUtf8(record, encoding, out invalid);
        if (dialect.HasBackslashEscapes || dialect.HasLeadingSpaces) record = AsRfc4180(record.Span, dialect);
        using CsvReader reader = CsvReader.Create(record, OptionsByDelimiter.GetOrAdd(dialect.Delimiter, OptionsOf));
        string[] fields = reader.Read() ? reader.Current.ToArray() : [];
        return dialect.HasTypographicQuotes ? Array.ConvertAll(fields, WithoutTypographicQuotes) : fields;
    }

    // The library's own hint of a delimiter, a record "sep=;", is a row here: the file's first line was looked at before.
    private static CsvReaderOptions OptionsOf(char delimiter) =>
        new() { Separator = delimiter, HasHeader = false, SkipEmptyLines = false, DetectSeparatorHint = false };

    /// <summary>The record with its quotes doubled in place of escaped, and without spaces before fields.</summary>
    private static ReadOnlyMemory<byte> AsRfc4180(ReadOnlySpan<byte> record, DelimitedDialect dialect)
    {
        var written = new ArrayBufferWriter<byte>(record.Length + 16);
        bool isQuoted = false, isFieldStart = true;
        for (int at = 0; at < record.Length; at++)
        {
            byte unit = record[at];
            if (isFieldStart && dialect.HasLeadingSpaces && unit == ' ') continue;
            bool isEscape = isQuoted && dialect.HasBackslashEscapes && unit == '\\' && at + 1 < record.Length
                && record[at + 1] is (byte)'"' or (byte)'\\';
            if (isEscape)
            {
                unit = record[++at];
                if (unit == '"') written.Write("\""u8);
            }
            else if (unit == '"' && (isQuoted || isFieldStart)) isQuoted = !isQuoted;
            written.Write([unit]);
            // A quote right behind a closing one opens again: it is the second of a doubled quote.
            isFieldStart = !isEscape && !isQuoted && (unit == dialect.Delimiter || unit == '"');
        }
        return written.WrittenMemory;
    }

    private static string WithoutTypographicQuotes(string field)
    {
        ReadOnlySpan<char> trimmed = field.AsSpan().Trim();
        return trimmed.Length >= 2 && trimmed[0] is '“' or '„' or '”' or '«'
            && trimmed[^1] is '”' or '“' or '»' ? trimmed[1..^1].ToString() : field;
    }
}
