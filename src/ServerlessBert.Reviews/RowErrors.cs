using System.Globalization;

namespace ServerlessBert.Reviews;

/// <summary>The errors that a row can have: every code and sentence in one place.</summary>
internal static class RowErrors
{
    public static RowError InvalidJson(RowPlace place, string reason) =>
        new("invalid_json", $"{place} is not valid JSON: {reason}; write one JSON object a line.");

    public static RowError NotAnObject(RowPlace place, string found) =>
        new("not_an_object", $"{place} is a JSON {found}; write one JSON object a line, such as {{\"text\":\"…\"}}.");

    public static RowError MissingProperty(RowPlace place, ReviewOptions options) =>
        new("missing_text", $"{place} has no text; give it a property named {Or(options.TextFields)}.");

    public static RowError MissingColumn(RowPlace place, int columns, int textColumn) =>
        new("missing_text",
            $"{place} has {columns} of the {textColumn + 1} columns needed to reach its text; give each row the header's columns, "
                + $"and quote text with line breaks.");

    public static RowError TooManyColumns(RowPlace place, int columns, int expected, char delimiter) =>
        new("too_many_columns", $"{place} has {columns} columns, and the file's first line has {expected}; "
            + $"put quotes around a field that holds {(delimiter == '\t' ? "tabs" : $"'{delimiter}'")}, and double the quotes within it.");

    public static RowError InvalidText(RowPlace place, string name, string found) =>
        new("invalid_text", $"{place} has a {found} as its {name}; write the text as a string.");

    public static RowError EmptyText(RowPlace place) =>
        new("empty_text", $"{place} has a text of white space alone; give it words or leave the row out.");

    public static RowError InvalidStars(RowPlace place, string name, string value) =>
        new("invalid_stars", $"{place} has the {name} {Shown(value)}; write a whole number from 1 to 5.");

    public static RowError InvalidLabel(RowPlace place, string name, string value) =>
        new("invalid_label", $"{place} has the {name} {Shown(value)}; write a whole number from 0 to 4.");

    public static RowError LineTooLong(RowPlace place, long length, int limit) =>
        new("line_too_long",
            string.Create(CultureInfo.InvariantCulture,
            $"{place} is {length:N0} bytes long, over the limit of {limit:N0}; shorten it or raise MaxRecordBytes."));

    public static RowError UnclosedQuote(RowPlace place, long quote, long length) =>
        new("unclosed_quote",
            string.Create(CultureInfo.InvariantCulture,
            $"{place} opens a quote at byte {quote:N0} that is never closed, so that the file's last {length:N0} bytes are this one "
                + $"row; close the quote, or double it if it is text."));

    /// <summary>Names as a sentence lists them: a, b or c.</summary>
    public static string Or(IReadOnlyList<string> names) =>
        names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.Take(names.Count - 1))} or {names[^1]}";

    /// <summary>A value so that it is recognized: not a megabyte of it in every log, and nothing that steers a terminal.</summary>
    public static string Shown(string value)
    {
        const int shown = 40;
        string start = string.Concat(value.Take(shown).Select(unit => char.IsControl(unit) ? '\uFFFD' : unit));
        return value.Length <= shown ? $"'{start}'" : $"'{start}…'";
    }
}

/// <summary>Where a row stands, as its errors say it.</summary>
/// <param name="Row">Its number, from 0.</param>
/// <param name="Offset">Its first byte in the decompressed, UTF-8 content.</param>
internal readonly record struct RowPlace(long Row, long Offset)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Row {Row} (byte {Offset:N0})");
}

/// <summary>Why one row has no prediction.</summary>
/// <param name="Code">A stable name such as <c>missing_text</c>; also the metric's label.</param>
/// <param name="Message">One sentence: what, where, what to do.</param>
public sealed record RowError(string Code, string Message);
