namespace ServerlessBert.Pipeline.Models;

/// <summary>Which versions are kept; section <c>ServerlessBert:Retirement</c>.</summary>
public sealed record ModelRetirementOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Retirement";

    /// <summary>How many of the newest versions are kept, whatever they are: ten bert-base in bfloat16 are 2 GB, some cents a month.</summary>
    public int Keep { get; init; } = 10;

    /// <summary>
    /// How long a retired version's files stay after its manifest is gone, for hosts that are just downloading them; how
    /// long a version that was live stays, for the files that it still answers; and how long an upload may take.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromDays(1);
}
