using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Looks after a run that stands still: queues exactly what is missing, and after some attempts ends it, so that a
/// run always ends.
/// </summary>
public sealed class RunRecovery(
    PipelineStorage storage, RunStore runs, RunPublisher publisher, BatchClassifier classifier,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<RunRecovery> logger)
{
    // Storage's clock and this host's are not the same.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchQueue _queue = new(storage, options);
    private readonly RunPlans _plans = new(storage);

    /// <summary>Does what the run needs to go on.</summary>
    public async Task RecoverAsync(RunId id, CancellationToken cancellationToken = default)
    {
        if (await runs.TryReadAsync(id, cancellationToken) is not { IsFinished: false } run) return;
        if (run.State == RunState.Splitting) await RecoverSplittingAsync(run, cancellationToken);
        else await RecoverClassifyingAsync(run, cancellationToken);
    }

    private async Task RecoverSplittingAsync(Run run, CancellationToken cancellationToken)
    {
        if (await _input.ChangeOfAsync(run.Blob, run.ETag, cancellationToken) is { } loss)
            await publisher.LoseInputAsync(run, loss, cancellationToken);
        else if (await IsStillQueuedAsync(StorageNames.ReviewFiles, run.Queued ?? run.Started, cancellationToken))
            return;
        else if (run.Attempts >= options.MaxAttempts)
            await publisher.FailAsync(run, "splitting_failed",
                $"{run.Blob} could not be split in {run.Attempts + 1} attempts; the hosts' logs say why (look for run {run.Id}).",
                    cancellationToken);
        else if (await CountAttemptAsync(run, cancellationToken) is { } counted)
        {
            await SendFileAsync(run, cancellationToken);
            logger.RunRecovered(run.Id, run.Blob, run.State, counted.Attempts, 0);
        }
    }

    private async Task RecoverClassifyingAsync(Run run, CancellationToken cancellationToken)
    {
        if (await _plans.TryReadAsync(run.Id, cancellationToken) is not { } plan)
        {
            await RecoverPlanAsync(run, cancellationToken);
            return;
        }
        var staged = new StagedBatches(storage, run.Id);
        var missing = await staged.MissingAsync(BlockId.Compute(plan, isLegacy: run.Plan is null), cancellationToken);
        int count = plan.Batches.Count - missing.Count;
        if (missing.Count == 0)
            await PublishAsync(run, cancellationToken);
        else if (count > run.Staged)
            await runs.UpdateAsync(run.Id, now => now with { Staged = count, Attempts = 0, Waiting = null }, cancellationToken);
        else if (await IsStillQueuedAsync(StorageNames.ReviewBatches, run.Queued ?? run.Started, cancellationToken))
            return;
        else if (run.Attempts >= options.MaxAttempts)
            foreach (int batch in missing) await classifier.DeadLetterAsync(BatchQueue.MessageOf(run, plan, batch), cancellationToken);
        else
            await QueueAgainAsync(run, plan, missing, cancellationToken);
    }

    // What is staged is never lost by a publishing that fails: it is tried again, and one that always fails ends the run.
    private async Task PublishAsync(Run run, CancellationToken cancellationToken)
    {
        try
        {
            await publisher.CompleteAsync(run.Id, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !StorageErrors.IsUnreachable(exception))
        {
            if (run.Attempts < options.MaxAttempts)
            {
                await CountAttemptAsync(run, cancellationToken);
                throw;
            }
            string reason = $"{run.Blob} could not be published in {run.Attempts + 1} attempts, the last time because of: "
                + $"{StorageErrors.Sentence(exception)} Drop the file again.";
            await publisher.FailAsync(run, "publishing_failed", reason, cancellationToken);
        }
    }

    // Cut again from the same content, by the same settings, the plan comes out the same; what is staged then still counts.
    private async Task RecoverPlanAsync(Run run, CancellationToken cancellationToken)
    {
        if (await _input.ChangeOfAsync(run.Blob, run.ETag, cancellationToken) is { } loss)
            await publisher.LoseInputAsync(run, loss, cancellationToken);
        else if (run.Attempts >= options.MaxAttempts)
            await publisher.FailAsync(run, "plan_lost",
                $"The plan of {run.Blob} is gone and could not be made again in {run.Attempts} attempts; drop the file again.",
                    cancellationToken);
        else if (await runs.UpdateAsync(run.Id, now => now.Attempts != run.Attempts ? null
            : now with { State = RunState.Splitting, Staged = 0, Attempts = now.Attempts + 1, Queued = time.GetUtcNow() },
                cancellationToken) is { } counted)
        {
            await SendFileAsync(counted, cancellationToken);
            logger.PlanLost(run.Id, run.Blob);
        }
    }

    private async Task QueueAgainAsync(Run run, RunPlan plan, IReadOnlyList<int> missing, CancellationToken cancellationToken)
    {
        if (await CountAttemptAsync(run, cancellationToken) is not { } counted) return;
        await _queue.SendAsync(run, plan, missing, cancellationToken);
        PipelineMetrics.BatchesRequeued(missing.Count);
        logger.RunRecovered(run.Id, run.Blob, run.State, counted.Attempts, missing.Count);
    }

    private async Task SendFileAsync(Run run, CancellationToken cancellationToken) => await storage.Queue(StorageNames.ReviewFiles)
        .SendMessageAsync(new ReviewFileMessage { Blob = run.Blob, ETag = run.ETag }.ToBody(), cancellationToken: cancellationToken);

    // Counted before it is queued: two sweeps at once queue once, and a sweep that dies here has used up an attempt, no more.
    private Task<Run?> CountAttemptAsync(Run run, CancellationToken cancellationToken) => runs.UpdateAsync(
        run.Id,
        now => now.Attempts == run.Attempts && now.State == run.State
            ? now with { Attempts = run.Attempts + 1, Queued = time.GetUtcNow() } : null,
        cancellationToken);

    // Queues deliver nearly in order: while the front message is older than the run's last ones, those are still waiting behind it.
    private async Task<bool> IsStillQueuedAsync(string queue, DateTimeOffset queued, CancellationToken cancellationToken)
    {
        var front = (await storage.RawQueue(queue).PeekMessageAsync(cancellationToken)).Value;
        return front?.InsertedOn <= queued + ClockSkew;
    }
}
