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
    public static (ReviewLayout Layout, bool IsRow) Read(IReadOnlyList<string> fields, ReviewFormat format, ReviewOptions options)
    {
        if (fields.Count == 2 && fields[0].Trim() is "1" or "2" or "3" or "4" or "5")
            return (new ReviewLayout { Format = format, StarsColumn = 0, TextColumn = 1 }, true);

        string[] names = [.. fields.Select(field => field.Trim())];
        var layout = new ReviewLayout
        {
            Format = format,
            TextColumn = ColumnOf(options.TextFields, names) ?? throw NoTextColumn(names, options),
            IdColumn = ColumnOf(options.IdFields, names),
            StarsColumn = ColumnOf(options.StarsFields, names),
            LabelColumn = ColumnOf(options.LabelFields, names),
        };
        return (layout, false);
    }

    private static int? ColumnOf(IReadOnlyList<string> accepted, string[] names)
    {
        foreach (string name in accepted)
        {
            int column = Array.FindIndex(names, found => found.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (column >= 0) return column;
        }
        return null;
    }

    private static ReviewFileException NoTextColumn(string[] names, ReviewOptions options)
    {
        const int shown = 20;
        string found = string.Join(", ", names.Take(shown).Select(RowErrors.Shown));
        string more = names.Length > shown ? $" and {names.Length - shown} more" : "";
        return new ReviewFileException("no_text_column", $"The file's first record has the columns {found}{more}, none of which is the text; name one {RowErrors.Or(options.TextFields)}, or give two columns without a header, stars from 1 to 5 and text.");
    }
}
