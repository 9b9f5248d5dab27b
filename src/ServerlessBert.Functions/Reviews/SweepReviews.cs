using Microsoft.Azure.Functions.Worker;
using ServerlessBert.Pipeline.Runs;

namespace ServerlessBert.Functions;

/// <summary>Finds files whose event, and batches whose message, went missing.</summary>
public sealed class SweepReviews(ReviewSweep sweep)
{
    /// <summary>Queues what is missing.</summary>
    [Function(nameof(SweepReviews))]
    public Task RunAsync([TimerTrigger(Settings.SweepSchedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        sweep.SweepAsync(cancellationToken);
}
