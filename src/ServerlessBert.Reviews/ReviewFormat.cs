namespace ServerlessBert.Reviews;

/// <summary>The forms in which reviews arrive.</summary>
public enum ReviewFormat
{
    /// <summary>A JSON object a line (.jsonl, .ndjson).</summary>
    JsonLines,

    /// <summary>RFC 4180 records, comma separated, with a header or in yelp_review_full's two columns (.csv).</summary>
    Csv,

    /// <summary>The same, tab separated (.tsv).</summary>
    Tsv,

    /// <summary>A review a line (.txt).</summary>
    Text,
}

/// <summary>What reading a batch from the middle of a file needs to know of the file's head.</summary>
public sealed record ReviewLayout
{
    /// <summary>The file's form.</summary>
    public required ReviewFormat Format { get; init; }

    /// <summary>Delimited files: the text's column, from 0.</summary>
    public int? TextColumn { get; init; }

    /// <summary>Delimited files: the id's column, or null.</summary>
    public int? IdColumn { get; init; }

    /// <summary>Delimited files: the column with stars from 1 to 5, or null.</summary>
    public int? StarsColumn { get; init; }

    /// <summary>Delimited files: the column with labels from 0 to 4, or null.</summary>
    public int? LabelColumn { get; init; }
}
