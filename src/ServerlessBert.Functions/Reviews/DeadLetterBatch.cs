using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Functions.Reviews;

/// <summary>
/// A batch was dead-lettered: writes error rows for it, so that its file still completes. A poison queue has no poison
/// queue of its own, so a message that fails here stays in it, is tried again, and is logged each time.
/// </summary>
public sealed class DeadLetterBatch(BatchClassifier classifier, InvocationGrace grace, ILogger<DeadLetterBatch> logger)
{
    /// <summary>Stages the batch's error rows.</summary>
    [Function(nameof(DeadLetterBatch))]
    public Task RunAsync(
        [QueueTrigger(StorageNames.ReviewBatches + StorageNames.PoisonSuffix, Connection = Settings.Storage)] QueueMessage message,
        CancellationToken cancellationToken) =>
        grace.RunAsync(
            token => classifier.DeadLetterAsync(MessageBody.Read(message, ReviewBatchMessage.Parse, logger), token), cancellationToken);
}
