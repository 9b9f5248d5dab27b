using ServerlessBert.Functions.Reviews;
using ServerlessBert.Functions.Training;

namespace ServerlessBert.Functions;

/// <summary>Names of the settings that triggers refer to.</summary>
public static class Settings
{
    /// <summary>The storage account: a connection string, or the prefix of identity-based settings.</summary>
    public const string Storage = "AzureWebJobsStorage";

    /// <summary>When <see cref="SweepReviews"/> runs.</summary>
    public const string SweepSchedule = "%SweepSchedule%";

    /// <summary>When <see cref="ScheduleRetraining"/> runs.</summary>
    public const string RetrainingSchedule = "%RetrainingSchedule%";
}
