using Azure;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Does with inputs that are done what <see cref="RunOptions.ProcessedInput"/> says; again is harmless.</summary>
internal sealed class ProcessedInputs(PipelineStorage storage, RunOptions options, ILogger logger)
{
    /// <summary>Where moved inputs lie. What lies there is never a drop, whatever the option says now.</summary>
    public const string Folder = "processed/";

    private const string StateTag = "state";
    private const string Done = "done";

    /// <summary>What a listing must bring along for <see cref="IsSettled"/>.</summary>
    public BlobTraits Traits => options.ProcessedInput == ProcessedInput.Tag ? BlobTraits.Tags : BlobTraits.None;

    /// <summary>Whether nothing is left to do for an input that stands in the container and is done.</summary>
    public bool IsSettled(BlobItem input) => options.ProcessedInput switch
    {
        ProcessedInput.Keep => true,
        ProcessedInput.Tag => input.Tags?.TryGetValue(StateTag, out string? state) == true && state == Done,
        _ => false,
    };

    /// <summary>Moves or tags an input, unless it was dropped again or is gone.</summary>
    public async Task SettleAsync(BlobName blob, string etag, RunId run, CancellationToken cancellationToken)
    {
        try
        {
            if (options.ProcessedInput == ProcessedInput.Move) await MoveAsync(blob, etag, cancellationToken);
            if (options.ProcessedInput == ProcessedInput.Tag) await TagAsync(blob, etag, run, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween() || exception.IsNotFound())
        {
            // A newer drop stands there, with a run of its own, or nothing does any more.
        }
        catch (RequestFailedException exception)
        {
            // Its predictions are published; the sweep tries this part again.
            logger.InputNotSettled(exception, blob, options.ProcessedInput);
        }
    }

    // Copied, then deleted: dying between the two leaves it twice, and the sweep ends it.
    private async Task MoveAsync(BlobName blob, string etag, CancellationToken cancellationToken)
    {
        var container = storage.Container(StorageNames.Reviews);
        if (!BlobName.TryParse(Folder + blob, out _, out string? reason))
        {
            logger.InputNotMoved(blob, reason);
            return;
        }
        var (from, to) = (container.GetBlobClient(blob), container.GetBlobClient(Folder + blob));
        var copy = await to.StartCopyFromUriAsync(from.Uri,
            new BlobCopyFromUriOptions { SourceConditions = new BlobRequestConditions { IfMatch = ETags.ToCondition(etag) } },
                cancellationToken);
        await copy.WaitForCompletionAsync(options.CopyPoll, cancellationToken);
        await from.DeleteAsync(conditions: new BlobRequestConditions { IfMatch = ETags.ToCondition(etag) },
            cancellationToken: cancellationToken);
        logger.InputMoved(blob, to.Name);
    }

    // Tags have no condition on the ETag. One that a newer drop takes over by a hair's breadth is set again at its own end.
    private async Task TagAsync(BlobName blob, string etag, RunId run, CancellationToken cancellationToken)
    {
        var input = storage.Container(StorageNames.Reviews).GetBlobClient(blob);
        if (await input.TryGetPropertiesAsync(cancellationToken) is not { } present || ETags.Unquote(present.ETag) != etag) return;
        await input.SetTagsAsync(new Dictionary<string, string> { [StateTag] = Done, ["run"] = run.Value },
            cancellationToken: cancellationToken);
    }
}
