using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>Finds what an event or a message missed: files without a run, runs without progress. Two listings tell. And clears away what ended long ago.</summary>
public sealed class RunSweep(
    PipelineStorage storage, RunStore runs, RunRecovery revival, ModelRegistry models, RunOptions options, TimeProvider time, ILogger<RunSweep> logger)
{
    private readonly ProcessedInputs _inputs = new(storage, options, logger);
    private readonly RunRetention _clearing = new(storage, runs, options, time, logger);

    /// <summary>Queues what is missing, and finishes what is staged but was left.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken = default)
    {
        // Files before runs: a run that begins in between is seen, and its file not taken for forgotten.
        var files = await FilesAsync(cancellationToken);
        var known = new Dictionary<string, RunEntry>();
        await foreach (var run in runs.ListAsync(cancellationToken)) known.Add(run.Id, run);
        var grown = time.GetUtcNow() - options.Grace;
        await QueueForgottenAsync([.. files.Where(file => file.Dropped <= grown && !known.ContainsKey(file.RunId))], cancellationToken);
        foreach (var run in known.Values.Where(IsStanding)) await ReviveAsync(run, cancellationToken);
        foreach (var file in files.Where(file => !file.IsSettled && known.GetValueOrDefault(file.RunId) is { State: RunState.Done }))
            await _inputs.SettleAsync(file.Blob, file.ETag, file.RunId, cancellationToken);
        await _clearing.ClearAsync(known.Values, files.Select(file => file.RunId).ToHashSet(), cancellationToken);
    }

    private async Task<List<DroppedFile>> FilesAsync(CancellationToken cancellationToken)
    {
        var files = new List<DroppedFile>();
        await foreach (var blob in storage.Container(StorageNames.Reviews).GetBlobsAsync(new GetBlobsOptions { Traits = _inputs.Traits }, cancellationToken))
        {
            if (blob.Properties is { ETag: { } etag, LastModified: { } dropped } && !blob.Name.StartsWith(ProcessedInputs.Folder, StringComparison.Ordinal))
                files.Add(new(blob.Name, ETags.Unquote(etag), dropped, _inputs.IsSettled(blob)));
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
        var queue = storage.Queue(StorageNames.ReviewFiles);
        QueueProperties waiting = await queue.GetPropertiesAsync(cancellationToken);
        // As many messages as files: theirs are in all likelihood among them.
        if (waiting.ApproximateMessagesCount >= files.Count) return;
        foreach (var file in files)
        {
            await queue.SendMessageAsync(new ReviewFileMessage { Blob = file.Blob, ETag = file.ETag }.ToBody(), cancellationToken: cancellationToken);
            logger.FoundFile(file.Blob);
        }
    }

    private async Task ReviveAsync(RunEntry run, CancellationToken cancellationToken)
    {
        try
        {
            await revival.ReviveAsync(run.Id, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // One damaged run must not keep the others from being looked after; it is found again next time.
            logger.SweepFailed(exception, run.Id);
        }
    }

    private readonly record struct DroppedFile(string Blob, string ETag, DateTimeOffset Dropped, bool IsSettled)
    {
        public string RunId => Run.IdOf(Blob, ETag);
    }
}
