using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Functions.Training;

/// <summary>Asks for a training when new labelled files have come.</summary>
public sealed class ScheduleRetraining(RetrainingSchedule schedule)
{
    /// <summary>Queues a training request where one is due.</summary>
    [Function(nameof(ScheduleRetraining))]
    public Task RunAsync([TimerTrigger(Settings.RetrainingSchedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        schedule.RequestIfNeededAsync(cancellationToken);
}
