namespace ServerlessBert.Pipeline.Reviews;

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
