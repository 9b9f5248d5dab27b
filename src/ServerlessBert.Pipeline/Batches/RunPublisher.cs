using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Drift;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Ends runs: done, failed or superseded. Every step may be repeated, by the same worker or another, with the same
/// result.
/// </summary>
public sealed class RunPublisher(PipelineStorage storage, RunStore runs, DriftDetector drift, RunOptions options, TimeProvider time,
    ILogger<RunPublisher> logger)
{
    /// <summary>The error code of a run whose output is held by something outside of this program.</summary>
    internal const string UnwritableCode = "output_not_writable";

    private readonly Publication _publication = new(storage);
    private readonly RunPlans _plans = new(storage);
    private readonly ProcessedInputs _inputs = new(storage, options, logger);

    /// <summary>Commits a run whose batches are all staged, publishes predictions and summary.</summary>
    /// <param name="id">The run.</param>
    /// <param name="cancellationToken">Ends the attempt; another one goes on from there.</param>
    /// <returns>False where batches of the plan are not staged yet, or there is no plan.</returns>
    public async Task<bool> CompleteAsync(RunId id, CancellationToken cancellationToken = default)
    {
        if (await runs.TryReadAsync(id, cancellationToken) is not { IsFinished: false } run) return true;
        if (await _plans.TryReadAsync(id, cancellationToken) is not { } plan) return false;
        if (await StagedAsync(run, plan, cancellationToken) is not { } blocks) return false;
        try
        {
            if (await PublishAsync(run, plan, blocks, cancellationToken) is { } published)
                await EndAsync(run, published, cancellationToken);
        }
        catch (UnwritableBlobException exception)
        {
            await FailAsync(run, UnwritableCode, $"{exception.Message} Then drop {run.Blob} again.", cancellationToken);
        }
        return true;
    }

    // A run that began with a release whose messages named no plan is staged under the ids of that release.
    private async Task<IReadOnlyList<BlockId>?> StagedAsync(Run run, RunPlan plan, CancellationToken cancellationToken)
    {
        var staged = new StagedBatches(storage, run.Id);
        var blocks = BlockId.Compute(plan);
        if ((await staged.MissingAsync(blocks, cancellationToken)).Count == 0) return blocks;
        if (run.Plan is not null) return null;
        blocks = BlockId.Compute(plan, isLegacy: true);
        return (await staged.MissingAsync(blocks, cancellationToken)).Count == 0 ? blocks : null;
    }

    /// <summary>Null where the run ended otherwise.</summary>
    private async Task<Published?> PublishAsync(Run run, RunPlan plan, IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken)
    {
        int batches = blocks.Count;
        await runs.UpdateAsync(run.Id, now => now.State == RunState.Committing ? null
            : now with { State = RunState.Committing, Staged = batches, Batches = batches }, cancellationToken);

        var staged = new StagedBatches(storage, run.Id);
        await staged.CommitStatisticsAsync(blocks, cancellationToken);
        var (statistics, mismatch) = await staged.SumAsync(plan, cancellationToken);
        if (mismatch is not null)
        {
            await FailAsync(run, "rows_mismatch", $"{mismatch} Nothing is published of it; drop {run.Blob} again.", cancellationToken);
            return null;
        }
        await staged.CommitPredictionsAsync(blocks, cancellationToken);
        if (run.Shadow is not null) await staged.CommitShadowAsync(blocks, cancellationToken);
        var report = await drift.CompareAsync(run, statistics, cancellationToken);
        var summary = RunSummary.Create(run.Blob, RunOutcome.Done, statistics) with
        {
            Shadow = run.Shadow is { } shadow && statistics.Shadow is { } counts ? ShadowSummary.Create(shadow.Version, counts) : null,
            Drift = report,
        };
        bool isPublished =
            await _publication.WriteAsync(run, BlobName.Parse(run.PredictionsName), (to, conditions, metadata) =>
                CopyAsync(run, to, conditions, metadata, cancellationToken), cancellationToken)
            && await WriteSummaryAsync(run, summary, cancellationToken);
        if (isPublished) return new Published(batches, statistics, report);
        await SupersedeAsync(run, cancellationToken);
        return null;
    }

    private async Task EndAsync(Run run, Published published, CancellationToken cancellationToken)
    {
        var (batches, statistics, report) = published;
        long errors = statistics.Rows - statistics.Predictions;
        if (!await EndAsync(run, now =>
            now with { State = RunState.Done, Staged = batches, Batches = batches, Rows = statistics.Rows, ErrorRows = errors },
                cancellationToken)) return;
        logger.RunDone(run.Id, run.PredictionsName, statistics.Rows, errors);
        await _inputs.SettleAsync(run.Blob, run.ETag, run.Id, cancellationToken);
        await drift.ReportAsync(run, report, cancellationToken);
    }

    /// <summary>Ends a run whose file as a whole cannot be classified: no predictions, a summary that says why.</summary>
    public async Task FailAsync(Run run, string code, string message, CancellationToken cancellationToken = default)
    {
        // Whoever ended it was first, and what it published stays.
        if (await runs.TryReadAsync(run.Id, cancellationToken) is { IsFinished: true }) return;
        var summary = RunSummary.Create(run.Blob, RunOutcome.Failed, BatchStatistics.Empty) with { Reason = new RowError(code, message) };
        try
        {
            // What an older drop left must not pass for this one's predictions.
            bool isNewest = !HasNamesForOutput(run)
                || (await _publication.WriteAsync(run, BlobName.Parse(run.PredictionsName), (to, conditions, _) =>
                    DeleteAsync(to, conditions, cancellationToken), cancellationToken)
                    && await WriteSummaryAsync(run, summary, cancellationToken));
            if (!isNewest)
            {
                await SupersedeAsync(run, cancellationToken);
                return;
            }
        }
        catch (UnwritableBlobException exception)
        {
            // The run ends all the same: its document says what the summary cannot.
            logger.OutputUnwritable(run.Id, run.Blob, exception.Message);
        }
        if (await EndAsync(run, now => now with { State = RunState.Failed, ErrorCode = code, ErrorMessage = message }, cancellationToken))
            logger.RunFailed(run.Id, run.Blob, code, message);
    }

    /// <summary>Whether the names of a run's output are short enough for storage.</summary>
    internal static bool HasNamesForOutput(Run run) =>
        run.SummaryName.Length <= BlobName.MaxLength && run.PredictionsName.Length <= BlobName.MaxLength;

    /// <summary>Ends a run in whose place a newer drop of the same name stepped; that one's results stay.</summary>
    public async Task SupersedeAsync(Run run, CancellationToken cancellationToken = default)
    {
        string message = $"A newer {run.Blob} was dropped while this one was worked on, or may have been; look at that one's run.";
        if (await EndAsync(run, now => now with { State = RunState.Superseded, ErrorMessage = message }, cancellationToken))
            logger.RunSuperseded(run.Id, run.Blob);
    }

    /// <summary>Ends a run whose input is not there any more.</summary>
    internal Task LoseInputAsync(Run run, InputChange loss, CancellationToken cancellationToken) => loss == InputChange.DroppedAgain
        ? SupersedeAsync(run, cancellationToken)
        : FailAsync(run, "input_deleted",
            $"{run.Blob} was deleted before all of it was classified; drop it again and leave it until its predictions are there.",
                cancellationToken);

    private async Task<bool> EndAsync(Run run, Func<Run, Run> end, CancellationToken cancellationToken)
    {
        var finished = time.GetUtcNow();
        if (await runs.UpdateAsync(run.Id, now =>
            end(now) with { Finished = finished, Waiting = null }, cancellationToken) is not { } ended) return false;
        PipelineMetrics.RunEnded(ended.State.ToString(), finished - ended.Started);
        return true;
    }

    private async Task CopyAsync(Run run, BlobClient to, BlobRequestConditions conditions, Dictionary<string, string> metadata,
        CancellationToken cancellationToken)
    {
        var from = new RunBlobs(storage, run.Id).Predictions.Uri;
        var copy = await to.StartCopyFromUriAsync(from,
            new BlobCopyFromUriOptions { DestinationConditions = conditions, Metadata = metadata }, cancellationToken);
        await copy.WaitForCompletionAsync(options.CopyPoll, cancellationToken);
    }

    private static Task DeleteAsync(BlobClient blob, BlobRequestConditions conditions, CancellationToken cancellationToken) =>
        conditions.IfMatch is null ? Task.CompletedTask
            : blob.DeleteIfExistsAsync(conditions: conditions, cancellationToken: cancellationToken);

    private Task<bool> WriteSummaryAsync(Run run, RunSummary summary, CancellationToken cancellationToken)
    {
        var whole = summary with { Run = run.Id, ETag = run.ETag, Model = run.Model, Started = run.Started, Finished = time.GetUtcNow() };
        var bytes = new BinaryData(whole.ToJson());
        return _publication.WriteAsync(run, BlobName.Parse(run.SummaryName), (to, conditions, metadata) => to.UploadAsync(
            bytes,
            new BlobUploadOptions
            {
                Conditions = conditions,
                Metadata = metadata,
                HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
            },
            cancellationToken), cancellationToken);
    }

    private sealed record Published(int Batches, BatchStatistics Statistics, DriftReport? Report);
}
