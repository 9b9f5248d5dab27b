using System.Globalization;
using Azure;
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

/// <summary>Ends runs: done, failed or superseded. Every step may be repeated, by the same worker or another, with the same result.</summary>
public sealed class RunPublisher(PipelineStorage storage, RunStore runs, DriftDetector drift, RunOptions options, TimeProvider time, ILogger<RunPublisher> logger)
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
    internal Task LoseInputAsync(Run run, InputChange loss, CancellationToken cancellationToken) => loss == InputChange.DroppedAgain
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

/// <summary>
/// Writes a run's results into the predictions container while its drop is the newest of that name. The order makes it
/// safe without a lock: look at what is published, then at the input, then write under the condition that what is
/// published has not changed. A newer drop after the look at the input publishes later; one that published before
/// the write makes the condition fail, and the next look at the input tells.
/// </summary>
internal sealed class Publication(PipelineStorage storage)
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(50);

    private const string DroppedMetadata = "dropped";

    /// <summary>Writes one blob.</summary>
    /// <param name="run">Whose result it is.</param>
    /// <param name="name">The blob's name in the predictions container.</param>
    /// <param name="write">Writes it under the conditions and with the metadata given.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False when a newer drop took the run's place.</returns>
    public async Task<bool> WriteAsync(Run run, string name, Func<BlobClient, BlobRequestConditions, Dictionary<string, string>, Task> write, CancellationToken cancellationToken)
    {
        var destination = storage.Container(StorageNames.Predictions).GetBlobClient(name);
        while (true)
        {
            var published = await destination.TryGetPropertiesAsync(cancellationToken);
            if (IsOfNewerDrop(published, run) || await IsDroppedAgainAsync(run, cancellationToken)) return false;
            try
            {
                await write(destination, Blobs.Unchanged(published is null ? null : ETags.Unquote(published.ETag)), MetadataOf(run));
                return true;
            }
            catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
            {
                await Task.Delay(BetweenTries, cancellationToken);
            }
        }
    }

    // A deleted input is no newer drop: its predictions are still wanted.
    private async Task<bool> IsDroppedAgainAsync(Run run, CancellationToken cancellationToken)
    {
        var input = await storage.Container(StorageNames.Reviews).GetBlobClient(run.Blob).TryGetPropertiesAsync(cancellationToken);
        return input is not null && ETags.Unquote(input.ETag) != run.ETag;
    }

    // Where the newer drop was published and its input then removed, only its output still tells.
    private static bool IsOfNewerDrop(BlobProperties? published, Run run) =>
        published is not null
        && published.Metadata.TryGetValue(DroppedMetadata, out string? dropped)
        && DateTimeOffset.TryParse(dropped, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var when)
        && when > run.Dropped;

    private static Dictionary<string, string> MetadataOf(Run run) => new()
    {
        ["run"] = run.Id,
        ["model"] = run.Model,
        [DroppedMetadata] = run.Dropped.ToString("O", CultureInfo.InvariantCulture),
    };
}
