namespace ServerlessBert.Reviews;

/// <summary>The forms in which reviews arrive.</summary>
public enum ReviewFormat
{
    /// <summary>A JSON object per line (.jsonl, .ndjson, .json).</summary>
    JsonLines,

    /// <summary>RFC 4180 records, comma separated, with a header or in yelp_review_full's two columns (.csv).</summary>
    Csv,

    /// <summary>The same, tab separated (.tsv).</summary>
    Tsv,

    /// <summary>One review per line (.txt).</summary>
    Text,
}

/// <summary>What reading a batch from the middle of a file needs to know of the file's head.</summary>
public sealed record ReviewLayout
{
    /// <summary>The file's form.</summary>
    public required ReviewFormat Format { get; init; }

    /// <summary>Delimited files: how records and fields are written; null for the form's own dialect.</summary>
    public DelimitedDialect? Dialect { get; init; }

    /// <summary>The encoding where it is not UTF-8: <see cref="Windows1252"/>, or null.</summary>
    public string? Encoding { get; init; }

    /// <summary>Delimited files: how many columns there are; null where a batch was made before this was known.</summary>
    public int? Columns { get; init; }

    /// <summary>Delimited files: the text's column, from 0.</summary>
    public int? TextColumn { get; init; }

    /// <summary>Delimited files: the id's column, or null.</summary>
    public int? IdColumn { get; init; }

    /// <summary>Delimited files: the column with stars from 1 to 5, or null.</summary>
    public int? StarsColumn { get; init; }

    /// <summary>Delimited files: the column with labels from 0 to 4, or null.</summary>
    public int? LabelColumn { get; init; }

    /// <summary>The only encoding beside UTF-8 that is read in place, since its bytes below 128 are ASCII's too.</summary>
    public const string Windows1252 = "windows-1252";
}

/// <summary>How a delimited file writes its records, where that is not RFC 4180 with the form's own delimiter.</summary>
public sealed record DelimitedDialect
{
    /// <summary>What separates fields.</summary>
    public required char Delimiter { get; init; }

    /// <summary>Whether a quote within quotes is written <c>\"</c>, as MySQL and Spark do, beside <c>""</c>.</summary>
    public bool HasBackslashEscapes { get; init; }

    /// <summary>Whether fields begin with spaces that belong to the delimiter, also before a quote.</summary>
    public bool HasLeadingSpaces { get; init; }

    /// <summary>Whether fields stand in typographic quotes, as a word processor makes them of straight ones.</summary>
    public bool HasTypographicQuotes { get; init; }

    /// <summary>What RFC 4180 says, with the delimiter of a form.</summary>
    public static DelimitedDialect Of(ReviewFormat format) => format == ReviewFormat.Tsv ? Tsv : Csv;

    private static readonly DelimitedDialect Csv = new() { Delimiter = ',' };
    private static readonly DelimitedDialect Tsv = new() { Delimiter = '\t' };
}
