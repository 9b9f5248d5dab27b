using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

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
                await write(destination, BlobOutcomes.Unchanged(published is null ? null : ETags.Bare(published.ETag)), MetadataOf(run));
                return true;
            }
            catch (RequestFailedException exception) when (exception.IsConditionFailed())
            {
                await Task.Delay(BetweenTries, cancellationToken);
            }
        }
    }

    // A deleted input is no newer drop: its predictions are still wanted.
    private async Task<bool> IsDroppedAgainAsync(Run run, CancellationToken cancellationToken)
    {
        var input = await storage.Container(StorageNames.Reviews).GetBlobClient(run.Blob).TryGetPropertiesAsync(cancellationToken);
        return input is not null && ETags.Bare(input.ETag) != run.ETag;
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
