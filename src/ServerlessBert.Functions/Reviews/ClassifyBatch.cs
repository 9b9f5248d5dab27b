using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Reviews;

/// <summary>Classifies one batch of a file.</summary>
public sealed class ClassifyBatch(BatchDelivery delivery, InvocationGrace grace, ILogger<ClassifyBatch> logger)
{
    /// <summary>Stages the batch's predictions; the last batch commits the file.</summary>
    [Function(nameof(ClassifyBatch))]
    public Task RunAsync(
        [QueueTrigger(StorageNames.ReviewBatches, Connection = Settings.Storage)] QueueMessage message,
            CancellationToken cancellationToken) =>
        grace.RunAsync(
            token => delivery.HandleAsync(MessageBody.Read(message, ReviewBatchMessage.Parse, logger), message.DequeueCount, token),
                cancellationToken);
}
