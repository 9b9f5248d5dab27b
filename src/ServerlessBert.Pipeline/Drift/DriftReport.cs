namespace ServerlessBert.Pipeline.Drift;

/// <summary>How a file's predictions compare with those of the model's evaluation set.</summary>
public sealed record DriftReport
{
    /// <summary>Rows of the evaluation set.</summary>
    public required long BaselineRows { get; init; }

    /// <summary>Whether anything is flagged.</summary>
    public bool IsDrifted => Flags.Count > 0;

    /// <summary>What is flagged, of stars, confidence and unknownTokens.</summary>
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>Why, or why nothing can be said, in a sentence; null where nothing is flagged.</summary>
    public string? Reason { get; init; }

    /// <summary>The population stability index of the star mix; null where there are too few rows.</summary>
    public decimal? StarsIndex { get; init; }

    /// <summary>The mean confidence less the baseline's.</summary>
    public decimal? ConfidenceShift { get; init; }

    /// <summary>The share of unknown tokens less the baseline's.</summary>
    public decimal? UnknownShareShift { get; init; }
}
