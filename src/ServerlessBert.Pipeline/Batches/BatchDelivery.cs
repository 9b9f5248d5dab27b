using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>What becomes of a batch's message after a failure, by who failed.</summary>
internal enum DeliveryAction
{
    /// <summary>The batch failed: the queue delivers it again, and moves it to the poison queue after the last attempt.</summary>
    Retry,

    /// <summary>The batch failed for the last time, by the attempts that the message itself counts: its rows become errors.</summary>
    DeadLetter,

    /// <summary>The host was stopped: the message goes back, and the attempt does not count.</summary>
    GiveBack,

    /// <summary>The host cannot do any batch: the message goes back uncounted, and the host takes no more until it can.</summary>
    GiveBackAndHold,

    /// <summary>The run cannot be ended well, whoever tries: it fails with the reason.</summary>
    FailRun,
}

/// <summary>One delivery of a batch's message: does the batch, and decides from what went wrong what becomes of the message.</summary>
/// <remarks>
/// A queue counts every delivery. So that one which does not count against the batch leaves no trace, the message is
/// sent anew with the attempts that do count, and the delivered one is deleted as if it were done. Dying in between
/// leaves both, and a batch that is done twice gives the same bytes.
/// </remarks>
public sealed class BatchDelivery(
    PipelineStorage storage, BatchClassifier classifier, RunStore runs, RunPublisher publisher, HostReadiness readiness,
    RunOptions options, TimeProvider time, ILogger<BatchDelivery> logger)
{
    private static readonly TimeSpan TimeToGiveBack = TimeSpan.FromSeconds(5);

    /// <summary>Does a batch.</summary>
    /// <param name="message">The batch.</param>
    /// <param name="dequeueCount">How often the queue has delivered this very message, this time included.</param>
    /// <param name="stopping">Cancelled when the host stops and has no more time for what is in hand.</param>
    public async Task HandleAsync(ReviewBatchMessage message, long dequeueCount, CancellationToken stopping = default)
    {
        long attempt = message.Attempts + dequeueCount;
        if (readiness.IsHolding || stopping.IsCancellationRequested)
        {
            await GiveBackAsync(message, attempt - 1, readiness.Trouble?.Reason);
            await readiness.HoldAsync(stopping);
            return;
        }
        try
        {
            await classifier.ClassifyAsync(message, attempt, stopping);
            readiness.Succeeded();
        }
        catch (Exception exception)
        {
            await ActAsync(ActionOf(exception, message, attempt, stopping), exception, message, attempt, stopping);
        }
    }

    /// <summary>What a failure means for the message.</summary>
    internal DeliveryAction ActionOf(Exception exception, ReviewBatchMessage message, long attempt, CancellationToken stopped) =>
        exception switch
        {
            OperationCanceledException when stopped.IsCancellationRequested => DeliveryAction.GiveBack,
            HostUnableException => DeliveryAction.GiveBackAndHold,
            UnwritableBlobException => DeliveryAction.FailRun,
            _ when StorageErrors.IsUnreachable(exception) => DeliveryAction.GiveBackAndHold,
            // Attempts before the message was sent anew are not in the queue's count, so the queue would go on too long.
            _ when message.Attempts > 0 && attempt >= options.BatchAttempts => DeliveryAction.DeadLetter,
            _ => DeliveryAction.Retry,
        };

    private async Task ActAsync(DeliveryAction action, Exception exception, ReviewBatchMessage message, long attempt,
        CancellationToken stopping)
    {
        switch (action)
        {
            case DeliveryAction.GiveBack:
                await GiveBackAsync(message, attempt - 1, waiting: null);
                break;
            case DeliveryAction.GiveBackAndHold:
                string reason = StorageErrors.Sentence(exception);
                readiness.Failed(reason);
                await GiveBackAsync(message, attempt - 1, reason);
                await readiness.HoldAsync(stopping);
                break;
            case DeliveryAction.FailRun:
                if (await runs.TryReadAsync(message.Run, stopping) is { IsFinished: false } run)
                    await publisher.FailAsync(run, RunPublisher.UnwritableCode, $"{exception.Message} Then drop {run.Blob} again.",
                        stopping);
                break;
            case DeliveryAction.DeadLetter:
                await classifier.DeadLetterAsync(message, stopping);
                break;
            default:
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(exception);
                break;
        }
    }

    // Not ended by the stop: the message has to be back before the process is gone. It is visible at once, for a host that can.
    private async Task GiveBackAsync(ReviewBatchMessage message, long attempts, string? waiting)
    {
        using var limit = new CancellationTokenSource(TimeToGiveBack);
        await storage.Queue(StorageNames.ReviewBatches)
            .SendMessageAsync((message with { Attempts = attempts }).ToBody(), cancellationToken: limit.Token);
        logger.BatchGivenBack(message.Batch.Index, message.Run, message.Blob, waiting ?? "the host stops.");
        try
        {
            // The sweep must not take the run for one whose messages were lost, and who looks at it sees why it waits.
            await runs.UpdateAsync(message.Run, now =>
                now with { Queued = time.GetUtcNow(), Waiting = waiting ?? now.Waiting }, limit.Token);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            logger.WaitingNotRecorded(exception, message.Run);
        }
    }
}
