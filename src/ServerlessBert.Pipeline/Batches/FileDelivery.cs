using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// One delivery of a file's message. As with a batch, a stop or a storage that is not reached does not count against
/// the file.
/// </summary>
public sealed class FileDelivery(PipelineStorage storage, FileSplitter splitter, HostReadiness readiness, ILogger<FileDelivery> logger)
{
    private static readonly TimeSpan TimeToGiveBack = TimeSpan.FromSeconds(5);

    /// <summary>Splits a file.</summary>
    /// <param name="message">The file; null, an event that tells of something else, is ignored.</param>
    /// <param name="cancellationToken">Cancelled when the host stops.</param>
    public async Task HandleAsync(ReviewFileMessage? message, CancellationToken cancellationToken = default)
    {
        try
        {
            await splitter.SplitAsync(message, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && message is not null)
        {
            await GiveBackAsync(message, "the host stops.");
        }
        catch (Exception exception) when (StorageErrors.IsUnreachable(exception) && message is not null)
        {
            string reason = StorageErrors.Sentence(exception);
            readiness.Failed(reason);
            await GiveBackAsync(message, reason);
            await readiness.HoldAsync(cancellationToken);
        }
    }

    private async Task GiveBackAsync(ReviewFileMessage message, string reason)
    {
        using var limit = new CancellationTokenSource(TimeToGiveBack);
        await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(message.ToBody(), cancellationToken: limit.Token);
        logger.FileGivenBack(message.Blob, reason);
    }
}
