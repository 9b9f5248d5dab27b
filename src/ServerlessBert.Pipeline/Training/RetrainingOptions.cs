namespace ServerlessBert.Pipeline.Training;

/// <summary>When ScheduleRetraining asks for a training; configuration section <c>ServerlessBert:Retraining</c>.</summary>
public sealed record RetrainingOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Retraining";

    /// <summary>
    /// How many labelled rows must be new to the live model: 1, any new file. A GPU's hour for ten more rows among ten
    /// thousand is seldom worth it; whoever labels a little every day sets this to some percent of what there is.
    /// </summary>
    public long MinNewRows { get; init; } = 1;
}
