using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Writes a run's results into the predictions container while its drop is the newest of that name.</summary>
/// <remarks>
/// Concurrency, without a lock. Look at what is published, then at the input, then write under the condition that what is
/// published has not changed. Where the input stands as the run read it, every other result under the name is of an older
/// drop. Where it is gone, only what is published can tell: the run replaces what carries its own id, and what was
/// dropped in an earlier second for certain. Storage's times are whole seconds, so of two drops in one second nobody
/// knows the newer by its time: a tie never wins. A newer drop after the look at the input publishes later; one that
/// published before the write makes the condition fail, and the next look tells.
/// </remarks>
internal sealed class Publication(PipelineStorage storage)
{
    private const string RunMetadata = "run", DroppedMetadata = "dropped";

    /// <summary>Writes one blob.</summary>
    /// <param name="run">Whose result it is.</param>
    /// <param name="name">The blob's name in the predictions container.</param>
    /// <param name="write">Writes it under the conditions and with the metadata given.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False when a newer drop took the run's place, or may have.</returns>
    /// <exception cref="UnwritableBlobException">Something holds the blob.</exception>
    public async Task<bool> WriteAsync(
        Run run, BlobName name, Func<BlobClient, BlobRequestConditions, Dictionary<string, string>, Task> write,
            CancellationToken cancellationToken)
    {
        var destination = storage.Container(StorageNames.Predictions).GetBlobClient(name);
        bool isNewest = true;
        await ContendedWrite.RetryUntilAsync($"{StorageNames.Predictions}/{name}", async () =>
        {
            var published = await destination.TryGetPropertiesAsync(cancellationToken);
            isNewest = await IsNewestAsync(run, published, cancellationToken);
            if (!isNewest) return true;
            try
            {
                await write(destination, Blobs.Unchanged(published is null ? null : ETags.Unquote(published.ETag)), MetadataOf(run));
                return true;
            }
            catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
            {
                return false;
            }
            catch (RequestFailedException exception) when (exception.IsUnwritable())
            {
                throw StorageErrors.Unwritable(destination, exception);
            }
        }, cancellationToken);
        return isNewest;
    }

    private async Task<bool> IsNewestAsync(Run run, BlobProperties? published, CancellationToken cancellationToken)
    {
        var input = await storage.Container(StorageNames.Reviews).GetBlobClient(run.Blob).TryGetPropertiesAsync(cancellationToken);
        if (input is not null) return ETags.Unquote(input.ETag) == run.ETag;
        // A deleted input is no newer drop: its predictions are still wanted.
        return published is null || IsOwn(published, run) || IsOlder(published, run);
    }

    private static bool IsOwn(BlobProperties published, Run run) =>
        published.Metadata.TryGetValue(RunMetadata, out string? id) && id == run.Id.Value;

    private static bool IsOlder(BlobProperties published, Run run) =>
        published.Metadata.TryGetValue(DroppedMetadata, out string? dropped)
        && DateTimeOffset.TryParse(dropped, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var when)
        && when < run.Dropped;

    private static Dictionary<string, string> MetadataOf(Run run) => new()
    {
        [RunMetadata] = run.Id,
        ["model"] = run.Model,
        [DroppedMetadata] = run.Dropped.ToString("O", CultureInfo.InvariantCulture),
    };
}
