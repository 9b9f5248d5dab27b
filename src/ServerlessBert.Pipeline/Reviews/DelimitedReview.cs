namespace ServerlessBert.Pipeline.Reviews;

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
