using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Finds what an event or a message missed: files without a run, runs without progress. Two listings tell. And clears
/// away what ended long ago.
/// </summary>
public sealed class RunSweep(
    PipelineStorage storage, RunStore runs, RunRecovery recovery, ModelRegistry models, RunOptions options, TimeProvider time,
        ILogger<RunSweep> logger)
{
    private readonly ProcessedInputs _inputs = new(storage, options, logger);
    private readonly RunRetention _retention = new(storage, runs, options, time, logger);

    /// <summary>Queues what is missing, and finishes what is staged but was left.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken = default)
    {
        // Files before runs: a run that begins in between is seen, and its file not taken for forgotten.
        var files = await FilesAsync(cancellationToken);
        var known = new Dictionary<RunId, RunEntry>();
        await foreach (var run in runs.ListAsync(cancellationToken)) known.Add(run.Id, run);
        var grown = time.GetUtcNow() - options.Grace;
        await QueueForgottenAsync([.. files.Where(file => file.Dropped <= grown && !known.ContainsKey(file.RunId))], cancellationToken);
        var names = files.ToDictionary(file => file.RunId);
        foreach (var run in known.Values.Where(IsStanding)) await RecoverAsync(run, names.GetValueOrDefault(run.Id), cancellationToken);
        foreach (var file in files.Where(file => !file.IsSettled && known.GetValueOrDefault(file.RunId) is { State: RunState.Done }))
            await _inputs.SettleAsync(file.Blob, file.ETag, file.RunId, cancellationToken);
        await _retention.ClearAsync(known.Values, files.Select(file => file.RunId).ToHashSet(), cancellationToken);
    }

    private async Task<List<DroppedFile>> FilesAsync(CancellationToken cancellationToken)
    {
        var files = new List<DroppedFile>();
        await foreach (var blob in storage.Container(StorageNames.Reviews)
            .GetBlobsAsync(new GetBlobsOptions { Traits = _inputs.Traits | BlobTraits.Metadata }, cancellationToken))
        {
            if (blob.Properties is not { ETag: { } etag, LastModified: { } dropped } || Blobs.IsFolderMarker(blob.Metadata)
                || blob.Name.StartsWith(ProcessedInputs.Folder, StringComparison.Ordinal)) continue;
            if (BlobName.TryParse(blob.Name, out var name, out string? reason))
                files.Add(new(name, ETags.Unquote(etag), dropped, _inputs.IsSettled(blob)));
            else logger.OddName(reason);
        }
        return files;
    }

    private bool IsStanding(RunEntry run) => !run.IsFinished
        && time.GetUtcNow() - run.Updated > (run.State == RunState.Splitting ? options.SplitStallTime : options.StallTime);

    private async Task QueueForgottenAsync(IReadOnlyList<DroppedFile> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0) return;
        // One that cannot be read waits too: it must not keep the runs from being looked after.
        if ((await models.ReadPointerAsync(null, cancellationToken)).Value is null)
        {
            logger.FilesWaitForModel(files.Count);
            return;
        }
        QueueProperties waiting = await storage.Queue(StorageNames.ReviewFiles).GetPropertiesAsync(cancellationToken);
        // As many messages as files: theirs are in all likelihood among them.
        if (waiting.ApproximateMessagesCount >= files.Count) return;
        foreach (var file in files)
        {
            await SendAsync(file, cancellationToken);
            logger.FoundFile(file.Blob);
        }
    }

    private async Task RecoverAsync(RunEntry run, DroppedFile? file, CancellationToken cancellationToken)
    {
        try
        {
            await recovery.RecoverAsync(run.Id, cancellationToken);
        }
        catch (DamagedDocumentException exception)
        {
            // Whoever takes the file's message puts an ended run in the place of the document, and says why.
            logger.SweepFailed(exception, run.Id);
            if (file is not null) await SendAsync(file, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // One damaged run must not keep the others from being looked after; it is found again next time.
            logger.SweepFailed(exception, run.Id);
        }
    }

    private async Task SendAsync(DroppedFile file, CancellationToken cancellationToken) => await storage.Queue(StorageNames.ReviewFiles)
        .SendMessageAsync(new ReviewFileMessage { Blob = file.Blob, ETag = file.ETag }.ToBody(), cancellationToken: cancellationToken);

    private sealed record DroppedFile(BlobName Blob, string ETag, DateTimeOffset Dropped, bool IsSettled)
    {
        public RunId RunId { get; } = RunId.Compute(Blob, ETag);
    }
}
