using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Drift;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Ends runs: done, failed or superseded. Every step may be repeated, by the same worker or another, with the same result.</summary>
public sealed class RunFinishing(PipelineStorage storage, RunStore runs, DriftDetection drift, RunOptions options, TimeProvider time, ILogger<RunFinishing> logger)
{
    private readonly Publication _publication = new(storage);
    private readonly ProcessedInputs _inputs = new(storage, options, logger);

    /// <summary>Commits a run whose batches are all staged, publishes predictions and summary.</summary>
    /// <param name="id">The run.</param>
    /// <param name="batches">How many batches it has.</param>
    /// <param name="cancellationToken">Ends the attempt; another one goes on from there.</param>
    public async Task CompleteAsync(string id, int batches, CancellationToken cancellationToken = default)
    {
        if (await runs.TryReadAsync(id, cancellationToken) is not { IsFinished: false } run) return;
        await runs.UpdateAsync(id, now => now.State == RunState.Committing ? null : now with { State = RunState.Committing, Staged = batches, Batches = batches }, cancellationToken);

        var staged = new StagedBatches(storage, id);
        await staged.CommitAsync(batches, cancellationToken);
        if (run.Shadow is not null) await staged.CommitShadowAsync(cancellationToken);
        var statistics = await staged.SumAsync(cancellationToken);
        var report = await drift.CompareAsync(run, statistics, cancellationToken);
        var summary = RunSummary.Of(run.Blob, RunOutcome.Done, statistics) with
        {
            Shadow = run.Shadow is { } shadow && statistics.Shadow is { } counts ? ShadowSummary.Of(shadow.Version, counts) : null,
            Drift = report,
        };
        bool isPublished =
            await _publication.WriteAsync(run, run.PredictionsName, (to, conditions, metadata) => CopyAsync(run, to, conditions, metadata, cancellationToken), cancellationToken)
            && await WriteSummaryAsync(run, summary, cancellationToken);
        if (!isPublished)
        {
            await SupersedeAsync(run, cancellationToken);
            return;
        }
        long errors = statistics.Rows - statistics.Predictions;
        if (await EndAsync(run, now => now with { State = RunState.Done, Staged = batches, Batches = batches, Rows = statistics.Rows, ErrorRows = errors }, cancellationToken))
        {
            logger.RunDone(id, run.PredictionsName, statistics.Rows, errors);
            await _inputs.SettleAsync(run.Blob, run.ETag, id, cancellationToken);
            await drift.TellAsync(run, report, cancellationToken);
        }
    }

    /// <summary>Ends a run whose file as a whole cannot be classified: no predictions, a summary that says why.</summary>
    public async Task FailAsync(Run run, string code, string message, CancellationToken cancellationToken = default)
    {
        // What an older drop left must not pass for this one's predictions.
        await _publication.WriteAsync(run, run.PredictionsName, (to, conditions, _) => DeleteAsync(to, conditions, cancellationToken), cancellationToken);
        var summary = RunSummary.Of(run.Blob, RunOutcome.Failed, BatchStatistics.Empty) with { Reason = new RowError(code, message) };
        if (!await WriteSummaryAsync(run, summary, cancellationToken))
        {
            await SupersedeAsync(run, cancellationToken);
            return;
        }
        if (await EndAsync(run, now => now with { State = RunState.Failed, ErrorCode = code, ErrorMessage = message }, cancellationToken))
            logger.RunFailed(run.Id, run.Blob, code, message);
    }

    /// <summary>Ends a run in whose place a newer drop of the same name stepped; that one's results stay.</summary>
    public async Task SupersedeAsync(Run run, CancellationToken cancellationToken = default)
    {
        string message = $"A newer {run.Blob} was dropped while this one was worked on; look at that one's run.";
        if (await EndAsync(run, now => now with { State = RunState.Superseded, ErrorMessage = message }, cancellationToken))
            logger.RunSuperseded(run.Id, run.Blob);
    }

    /// <summary>Ends a run whose input is not there any more.</summary>
    internal Task LoseInputAsync(Run run, InputLoss loss, CancellationToken cancellationToken) => loss == InputLoss.DroppedAgain
        ? SupersedeAsync(run, cancellationToken)
        : FailAsync(run, "input_deleted", $"{run.Blob} was deleted before all of it was classified; drop it again and leave it until its predictions are there.", cancellationToken);

    private async Task<bool> EndAsync(Run run, Func<Run, Run> end, CancellationToken cancellationToken)
    {
        var finished = time.GetUtcNow();
        if (await runs.UpdateAsync(run.Id, now => end(now) with { Finished = finished }, cancellationToken) is not { } ended) return false;
        PipelineMetrics.RunEnded(ended.State.ToString(), finished - ended.Started);
        return true;
    }

    private async Task CopyAsync(Run run, BlobClient to, BlobRequestConditions conditions, Dictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        var from = new RunBlobs(storage, run.Id).Predictions.Uri;
        var copy = await to.StartCopyFromUriAsync(from, new BlobCopyFromUriOptions { DestinationConditions = conditions, Metadata = metadata }, cancellationToken);
        await copy.WaitForCompletionAsync(options.CopyPoll, cancellationToken);
    }

    private static Task DeleteAsync(BlobClient blob, BlobRequestConditions conditions, CancellationToken cancellationToken) =>
        conditions.IfMatch is null ? Task.CompletedTask : blob.DeleteIfExistsAsync(conditions: conditions, cancellationToken: cancellationToken);

    private Task<bool> WriteSummaryAsync(Run run, RunSummary summary, CancellationToken cancellationToken)
    {
        var whole = summary with { Run = run.Id, ETag = run.ETag, Model = run.Model, Started = run.Started, Finished = time.GetUtcNow() };
        var bytes = new BinaryData(whole.ToJson());
        return _publication.WriteAsync(run, run.SummaryName, (to, conditions, metadata) => to.UploadAsync(
            bytes,
            new BlobUploadOptions { Conditions = conditions, Metadata = metadata, HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" } },
            cancellationToken), cancellationToken);
    }
}
