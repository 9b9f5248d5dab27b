using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>Looks after a run that stands still: queues exactly what is missing, and after some attempts ends it, so that a run always ends.</summary>
public sealed class RunRecovery(
    PipelineStorage storage, RunStore runs, RunPublisher finishing, BatchClassifier classifying,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<RunRecovery> logger)
{
    // Storage's clock and this host's are not the same.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchQueue _queue = new(storage, options);

    /// <summary>Does what the run needs to go on.</summary>
    public async Task ReviveAsync(string id, CancellationToken cancellationToken = default)
    {
        if (await runs.TryReadAsync(id, cancellationToken) is not { IsFinished: false } run) return;
        if (run.State == RunState.Splitting) await ReviveSplittingAsync(run, cancellationToken);
        else await ReviveClassifyingAsync(run, cancellationToken);
    }

    private async Task ReviveSplittingAsync(Run run, CancellationToken cancellationToken)
    {
        if (await _input.LossOfAsync(run.Blob, run.ETag, cancellationToken) is { } loss)
            await finishing.LoseInputAsync(run, loss, cancellationToken);
        else if (await IsStillQueuedAsync(StorageNames.ReviewFiles, run.Queued ?? run.Started, cancellationToken))
            return;
        else if (run.Attempts >= options.MaxAttempts)
            await finishing.FailAsync(run, "splitting_failed", $"{run.Blob} could not be split in {run.Attempts + 1} attempts; the hosts' logs say why (look for run {run.Id}).", cancellationToken);
        else if (await CountAttemptAsync(run, cancellationToken) is { } counted)
        {
            await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(new ReviewFileMessage { Blob = run.Blob, ETag = run.ETag }.ToBody(), cancellationToken: cancellationToken);
            logger.RunRevived(run.Id, run.Blob, run.State, counted.Attempts, 0);
        }
    }

    private async Task ReviveClassifyingAsync(Run run, CancellationToken cancellationToken)
    {
        int batches = run.Batches ?? 0;
        var staged = await new StagedBatches(storage, run.Id).ReadAsync(cancellationToken);
        int[] missing = [.. staged.Missing(batches)];
        if (missing.Length == 0)
            await finishing.CompleteAsync(run.Id, batches, cancellationToken);
        else if (staged.Indexes.Count > run.Staged)
            await runs.UpdateAsync(run.Id, now => now with { Staged = staged.Indexes.Count, Attempts = 0 }, cancellationToken);
        else if (await IsStillQueuedAsync(StorageNames.ReviewBatches, run.Queued ?? run.Started, cancellationToken))
            return;
        else if (run.Attempts >= options.MaxAttempts)
            await GiveUpAsync(run, missing, cancellationToken);
        else
            await QueueAgainAsync(run, missing, cancellationToken);
    }

    private async Task QueueAgainAsync(Run run, int[] missing, CancellationToken cancellationToken)
    {
        if (await CountAttemptAsync(run, cancellationToken) is not { } counted) return;
        var plan = await _queue.ReadPlanAsync(run, cancellationToken);
        await _queue.SendAsync(run, plan, missing, cancellationToken);
        PipelineMetrics.BatchesRequeued(missing.Length);
        logger.RunRevived(run.Id, run.Blob, run.State, counted.Attempts, missing.Length);
    }

    private async Task GiveUpAsync(Run run, int[] missing, CancellationToken cancellationToken)
    {
        var plan = await _queue.ReadPlanAsync(run, cancellationToken);
        foreach (int batch in missing) await classifying.QuarantineAsync(BatchQueue.MessageOf(run, plan, batch), cancellationToken);
    }

    // Counted before it is queued: two sweeps at once queue once, and a sweep that dies here has used up an attempt, no more.
    private Task<Run?> CountAttemptAsync(Run run, CancellationToken cancellationToken) => runs.UpdateAsync(
        run.Id,
        now => now.Attempts == run.Attempts && now.State == run.State ? now with { Attempts = run.Attempts + 1, Queued = time.GetUtcNow() } : null,
        cancellationToken);

    // Queues deliver nearly in order: while the front message is older than the run's last ones, those are still waiting behind it.
    private async Task<bool> IsStillQueuedAsync(string queue, DateTimeOffset queued, CancellationToken cancellationToken)
    {
        var front = (await storage.Queue(queue).PeekMessageAsync(cancellationToken)).Value;
        return front?.InsertedOn <= queued + ClockSkew;
    }
}
