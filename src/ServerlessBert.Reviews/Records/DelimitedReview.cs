using System.Globalization;
using System.Text;
using System.Text.Unicode;
using CsvHelper;

namespace ServerlessBert.Reviews.Records;

/// <summary>A review from a record of a delimited file.</summary>
internal static class DelimitedReview
{
    /// <summary>The review, or its error. Columns beyond the layout's are ignored.</summary>
    public static Review Read(ReadOnlyMemory<byte> record, RowPlace place, char delimiter, ReviewLayout layout)
    {
        string[] fields = DelimitedRecord.Split(record, delimiter, out int invalid);
        (int? stars, RowError? labelError) = RatingOf(fields, place, layout);
        var review = new Review
        {
            Row = place.Row,
            Id = Field(fields, layout.IdColumn) is { Length: > 0 } id ? id : null,
            Stars = stars,
            Label = string.IsNullOrWhiteSpace(Field(fields, layout.StarsColumn)) && Field(fields, layout.LabelColumn) is { } label ? Rating.Whole(label) : null,
            LabelError = labelError,
            InvalidUtf8 = invalid,
        };
        int textColumn = layout.TextColumn ?? throw new ArgumentException("The layout of a delimited file with rows names its text column.", nameof(layout));
        if (Field(fields, textColumn) is not { } text) return review with { Error = RowErrors.MissingColumn(place, fields.Length, textColumn) };
        if (string.IsNullOrWhiteSpace(text)) return review with { Error = RowErrors.EmptyText(place) };
        return review with { Text = text };
    }

    private static (int? Stars, RowError? Error) RatingOf(string[] fields, RowPlace place, ReviewLayout layout) =>
        Field(fields, layout.StarsColumn) is { } stars && !string.IsNullOrWhiteSpace(stars) ? Rating.OfStars(stars, place, "stars")
        : Field(fields, layout.LabelColumn) is { } label && !string.IsNullOrWhiteSpace(label) ? Rating.OfLabel(label, place, "label")
        : (null, null);

    private static string? Field(string[] fields, int? column) => column < fields.Length ? fields[column.Value] : null;
}

/// <summary>The fields of one delimited record, by CsvHelper.</summary>
/// <remarks>A record at a time: where records end is <see cref="RecordScanner"/>'s word alone, so that splitter and reader count the same rows.</remarks>
internal static class DelimitedRecord
{
    private static readonly CsvReaderOptions Comma = new() { Separator = ',', HasHeader = false, SkipEmptyLines = false };
    private static readonly CsvReaderOptions Tab = Comma with { Separator = '\t' };

    /// <summary>The fields, without their quotes, of a record; and how many malformed UTF-8 sequences became U+FFFD.</summary>
    public static string[] Split(ReadOnlyMemory<byte> record, char delimiter, out int invalid)
    {
        invalid = 0;
        // Never given malformed bytes: FF FE would be a UTF-16 mark to the library.
        if (!Utf8.IsValid(record.Span)) record = Encoding.UTF8.GetBytes(Utf8Text.Decode(record.Span, out invalid));
        using CsvReader reader = CsvReader.Create(record, delimiter == '\t' ? Tab : Comma);
        return reader.Read() ? reader.Current.ToArray() : [];
    }
}

/// <summary>A known rating as files write it. A bad one costs the row its label, not its prediction.</summary>
internal static class Rating
{
    /// <summary>A whole number from 1 to 5; 4.0 is one.</summary>
    public static (int? Stars, RowError? Error) OfStars(string value, RowPlace place, string name) =>
        Whole(value) is >= 1 and <= 5 and int stars ? (stars, null) : (null, RowErrors.InvalidStars(place, name, value));

    /// <summary>Hugging Face's label, a whole number from 0 to 4, as stars.</summary>
    public static (int? Stars, RowError? Error) OfLabel(string value, RowPlace place, string name) =>
        Whole(value) is >= 0 and <= 4 and int label ? (label + 1, null) : (null, RowErrors.InvalidLabel(place, name, value));

    /// <summary>A whole number of less than three digits, or null.</summary>
    public static int? Whole(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < 100 && double.IsInteger(number)
            ? (int)number
            : null;
}
