using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Clears away what ended runs leave, after <see cref="RunOptions.KeepEnded"/>.</summary>
internal sealed class RunRetention(PipelineStorage storage, RunStore runs, RunOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Clears some of the runs that are old enough.</summary>
    /// <param name="entries">Every run.</param>
    /// <param name="standing">
    /// The runs whose input still stands in the container: without its document such a file would be taken for a new
    /// one.
    /// </param>
    /// <param name="cancellationToken">Ends the clearing; the next sweep goes on.</param>
    public async Task ClearAsync(IEnumerable<RunEntry> entries, IReadOnlySet<RunId> standing, CancellationToken cancellationToken)
    {
        if (options.KeepEnded <= TimeSpan.Zero) return;
        var before = time.GetUtcNow() - options.KeepEnded;
        // One that does not end is one whose document cannot be read; without its input nobody can say what it was of.
        var old = entries.Where(run =>
            (run.IsFinished || !standing.Contains(run.Id)) && run.Updated < before && !(run.IsCleared && standing.Contains(run.Id)));
        foreach (var run in old.Take(options.ClearAtOnce)) await ClearAsync(run, standing.Contains(run.Id), cancellationToken);
    }

    // The folder first: a document without a folder is cleared again, a folder without a document would stay for good.
    private async Task ClearAsync(RunEntry run, bool keepsDocument, CancellationToken cancellationToken)
    {
        if (!run.IsCleared) await ClearFolderAsync(run.Id, cancellationToken);
        if (keepsDocument) await runs.MarkClearedAsync(run.Id, cancellationToken);
        else await runs.DeleteAsync(run.Id, cancellationToken);
        logger.RunCleared(run.Id, keepsDocument ? "" : ", with its document");
    }

    private async Task ClearFolderAsync(RunId run, CancellationToken cancellationToken)
    {
        var container = storage.Container(StorageNames.Runs);
        await foreach (var blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{run}/", States = BlobStates.Uncommitted },
            cancellationToken))
            await container.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
    }
}
