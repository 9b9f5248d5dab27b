using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Reviews;

/// <summary>A file was dropped, says Event Grid or the sweep: cuts it into batches.</summary>
public sealed class SplitReviews(FileDelivery delivery, InvocationGrace grace, PipelineStorage storage, ILogger<SplitReviews> logger)
{
    /// <summary>Queues a message a batch.</summary>
    [Function(nameof(SplitReviews))]
    public Task RunAsync(
        [QueueTrigger(StorageNames.ReviewFiles, Connection = Settings.Storage)] QueueMessage message,
            CancellationToken cancellationToken) =>
        grace.RunAsync(token => delivery.HandleAsync(MessageBody.Read(message, Parse, logger), token), cancellationToken);

    private ReviewFileMessage? Parse(BinaryData body) => ReviewFileMessage.Parse(body, storage.Container(StorageNames.Reviews).Name);
}
