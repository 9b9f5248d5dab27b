using System.Text;

namespace ServerlessBert.Reviews.Records;

/// <summary>Tells a delimited file's layout from its first record.</summary>
internal static class ReviewHeader
{
    /// <summary>The layout, and whether the first record is a row already.</summary>
    /// <remarks>
    /// Two fields of which the first is a rating are yelp_review_full's form (Zhang et al., 2015, arXiv:1509.01626),
    /// even when the second is "text": no column is called 5. Everything else is a header.
    /// </remarks>
    /// <exception cref="ReviewFileException"><c>no_text_column</c>.</exception>
    public static (ReviewLayout Layout, bool IsRow) Read(
        IReadOnlyList<string> fields, ReviewFormat format, DelimitedDialect dialect, ReviewOptions options)
    {
        var layout = new ReviewLayout
        {
            Format = format,
            Dialect = dialect == DelimitedDialect.Of(format) ? null : dialect,
            Columns = fields.Count
        };
        if (IsRatedRow(fields)) return (layout with { StarsColumn = 0, TextColumn = 1 }, true);

        string[] names = [.. fields.Select(field => field.Trim())];
        int? label = FieldNames.ColumnOf(options.LabelFields, names);
        int? stars = FieldNames.ColumnOf(options.StarsFields, names);
        return (layout with
        {
            TextColumn = FieldNames.ColumnOf(options.TextFields, names) ?? throw NoTextColumn(names, options),
            IdColumn = FieldNames.ColumnOf(options.IdFields, names),
            StarsColumn = label is not null && stars is { } column && FieldNames.IsScore(names[column]) ? null : stars,
            LabelColumn = label,
        }, false);
    }

    /// <summary>Whether a record's fields can be understood: whether it is a header with a text column, or a rated row.</summary>
    public static bool IsUnderstood(IReadOnlyList<string> fields, ReviewOptions options) =>
        IsRatedRow(fields) || FieldNames.ColumnOf(options.TextFields, [.. fields.Select(field => field.Trim())]) is not null;

    private static bool IsRatedRow(IReadOnlyList<string> fields) =>
        fields.Count == 2 && fields[0].Trim() is "1" or "2" or "3" or "4" or "5";

    private static ReviewFileException NoTextColumn(string[] names, ReviewOptions options)
    {
        const int shown = 20;
        string found = string.Join(", ", names.Take(shown).Select(RowErrors.Shown));
        string more = names.Length > shown ? $" and {names.Length - shown} more" : "";
        return new ReviewFileException("no_text_column",
            $"The file's first record has the columns {found}{more}, none of which is the text; name one "
                + $"{RowErrors.Or(options.TextFields)}, "
            + $"or give two columns without a header, stars from 1 to 5 and text.");
    }
}

/// <summary>Finds out from a delimited file's first bytes how its records are written, and where the first one starts.</summary>
/// <param name="Dialect">How records are written.</param>
/// <param name="Start">Bytes before the first record: a line <c>sep=;</c>, which Excel writes and reads, is none.</param>
internal sealed record DialectGuess(DelimitedDialect Dialect, int Start)
{
    private static readonly char[] Delimiters = [',', '\t', ';', '|'];

    /// <summary>
    /// The delimiter with which the first record is a header with a text column, or a rated row; the form's own before
    /// others, and where there is none. What <c>sep=</c> says is believed.
    /// </summary>
    public static DialectGuess Make(ReadOnlySpan<byte> head, ReviewFormat format, ReviewOptions options)
    {
        DelimitedDialect own = DelimitedDialect.Of(format);
        (char? said, int start) = SaidDelimiter(head);
        ReadOnlySpan<byte> content = head[start..];
        char[] candidates = said is { } only ? [only] : [own.Delimiter, .. Delimiters.Where(delimiter => delimiter != own.Delimiter)];
        foreach (char delimiter in candidates)
        {
            DelimitedDialect dialect = WithSpaces(content, own with { Delimiter = delimiter });
            if (FirstRecord(content, dialect) is not { } record) continue;
            string[] fields = DelimitedRecord.Split(record, dialect, null, out _);
            if (!ReviewHeader.IsUnderstood(fields, options))
            {
                fields = DelimitedRecord.Split(record, dialect with { HasTypographicQuotes = true }, null, out _);
                if (!ReviewHeader.IsUnderstood(fields, options)) continue;
                dialect = dialect with { HasTypographicQuotes = true };
            }
            return new DialectGuess(dialect with { HasBackslashEscapes = HasBackslashEscapes(content, delimiter) }, start);
        }
        return new DialectGuess(own with { Delimiter = said ?? own.Delimiter }, start);
    }

    // Every delimiter of the first line is followed by a space, so the space belongs to it.
    private static DelimitedDialect WithSpaces(ReadOnlySpan<byte> content, DelimitedDialect dialect)
    {
        ReadOnlySpan<byte> line = FirstLine(content);
        int delimiters = line.Count((byte)dialect.Delimiter);
        bool hasSpaces = dialect.Delimiter != ' ' && delimiters > 0 && line.Count([(byte)dialect.Delimiter, (byte)' ']) == delimiters;
        return dialect with { HasLeadingSpaces = hasSpaces };
    }

    private static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> content)
    {
        content = content.TrimStart(" \t\r\n"u8);
        int end = content.IndexOfAny("\r\n"u8);
        return end < 0 ? content : content[..end];
    }

    private static byte[]? FirstRecord(ReadOnlySpan<byte> content, DelimitedDialect dialect)
    {
        var scanner = new RecordScanner(RecordGrammar.Of(dialect), 0);
        ReadOnlySpan<byte> rest = content;
        if (!scanner.TryRead(ref rest, out RecordRange record) && !scanner.TryFinish(out record)) return null;
        return record.OpenQuote is null ? content.Slice((int)record.Start, (int)record.Length).ToArray() : null;
    }

    private static (char? Delimiter, int Start) SaidDelimiter(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> line = head;
        bool isQuoted = line.StartsWith("\""u8);
        if (isQuoted) line = line[1..];
        if (line.Length < 5 || !Ascii.EqualsIgnoreCase(line[..4], "sep="u8) || !CanSeparate((char)line[4])) return (null, 0);
        char delimiter = (char)line[4];
        line = line[5..];
        if (isQuoted && line.StartsWith("\""u8)) line = line[1..];
        if (line.StartsWith("\r\n"u8)) line = line[2..];
        else if (line.StartsWith("\r"u8) || line.StartsWith("\n"u8)) line = line[1..];
        else return (null, 0);
        return (delimiter, head.Length - line.Length);
    }

    // What quotes, escapes or belongs to words or lines separates nothing, whatever a first line says.
    private static bool CanSeparate(char character) => character is '\t' or ' '
        || (char.IsAscii(character) && !char.IsControl(character) && !char.IsAsciiLetterOrDigit(character)
            && character is not ('"' or '\\'));

    // In quotes, \" that does not end its field, more often than "" stands for a quote.
    private static bool HasBackslashEscapes(ReadOnlySpan<byte> content, char delimiter)
    {
        int escaped = 0, doubled = 0;
        bool isQuoted = false, isFieldStart = true;
        for (int at = 0; at < content.Length; at++)
        {
            byte next = at + 1 < content.Length ? content[at + 1] : (byte)'\n';
            if (!isQuoted)
            {
                isQuoted = isFieldStart && content[at] == '"';
                isFieldStart = content[at] == delimiter || content[at] is (byte)'\r' or (byte)'\n' || (isFieldStart && content[at] == ' ');
            }
            else if (content[at] == '\\' && next == '"' && at + 2 < content.Length)
            {
                byte afterwards = content[at + 2];
                if (afterwards != delimiter && afterwards is not ((byte)'\r' or (byte)'\n' or (byte)'"')) escaped++;
                else if (afterwards != '"') isQuoted = false; // a backslash at a field's end
                at++;
            }
            else if (content[at] == '"' && next == '"')
            {
                doubled++;
                at++;
            }
            else if (content[at] == '"') isQuoted = false;
        }
        return escaped > doubled;
    }
}
