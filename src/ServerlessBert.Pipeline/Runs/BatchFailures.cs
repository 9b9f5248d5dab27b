using System.Text.Json;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Remembers why a batch failed last, so that its error rows can say so when it is given up.</summary>
internal sealed class BatchFailures(PipelineStorage storage, TimeProvider time, ILogger logger)
{
    /// <summary>Keeps the reason. A failure to do so is logged and no more: the batch's own failure is the one to report.</summary>
    public async Task RecordAsync(ReviewBatchMessage message, long attempt, Exception reason)
    {
        PipelineMetrics.BatchFailed(reason);
        logger.BatchFailed(reason, message.Batch.Index, message.Run, message.Blob, attempt);
        var failure = new BatchFailure(message.Batch.Index, attempt, FirstLine(reason.Message), reason.GetType().Name, time.GetUtcNow());
        try
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(failure, PipelineJson.Of<BatchFailure>());
            await new RunBlobs(storage, message.Run).Failure(message.Batch.Index).UploadAsync(new BinaryData(json), overwrite: true);
        }
        catch (Azure.RequestFailedException exception)
        {
            logger.FailureNotRecorded(exception, message.Batch.Index, message.Run);
        }
        catch (AggregateException exception)
        {
            // The storage client's own retries ran out: storage cannot be reached.
            logger.FailureNotRecorded(exception, message.Batch.Index, message.Run);
        }
    }

    /// <summary>The reason as a sentence for the rows.</summary>
    public async Task<string> ReadAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var content = await new RunBlobs(storage, message.Run).Failure(message.Batch.Index).TryDownloadAsync(cancellationToken);
        if (content is null) return $"Batch {message.Batch.Index} never came to an end, and no worker left a reason; drop the file again to repeat it.";
        var failure = JsonSerializer.Deserialize(content.Content.ToMemory().Span, PipelineJson.Of<BatchFailure>())!;
        return $"Batch {failure.Batch} failed {failure.Attempt} times, the last time with: {failure.Message} Drop the file again to repeat it.";
    }

    // Storage's messages go on with headers and request ids, which say nothing to whoever reads predictions.
    private static string FirstLine(string message) => message.AsSpan().Trim().ToString().Split('\n', 2)[0].TrimEnd('\r');
}
