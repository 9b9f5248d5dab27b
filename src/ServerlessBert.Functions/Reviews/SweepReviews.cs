using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Pipeline.Batches;

namespace ServerlessBert.Functions.Reviews;

/// <summary>Finds files whose event, and batches whose message, went missing.</summary>
public sealed class SweepReviews(RunSweep sweep)
{
    /// <summary>Queues what is missing.</summary>
    [Function(nameof(SweepReviews))]
    public Task RunAsync([TimerTrigger(Settings.SweepSchedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        sweep.SweepAsync(cancellationToken);
}
