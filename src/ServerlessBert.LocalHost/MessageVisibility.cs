using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Keeps a received message invisible while it is worked on. Each renewal gives a new pop receipt, and only the last one may
/// delete the message.
/// </summary>
internal sealed class MessageVisibility : IAsyncDisposable
{
    private readonly QueueClient queue;
    private readonly QueueMessage message;
    private readonly QueueTriggerOptions options;
    private readonly ILogger logger;
    private readonly CancellationTokenSource ending = new();
    private readonly Task renewing;
    private string popReceipt;

    /// <summary>Begins to renew.</summary>
    public MessageVisibility(QueueClient queue, QueueMessage message, QueueTriggerOptions options, ILogger logger)
    {
        (this.queue, this.message, this.options, this.logger) = (queue, message, options, logger);
        popReceipt = message.PopReceipt;
        renewing = RenewAsync();
    }

    /// <summary>Deletes the message: its work is done.</summary>
    public Task DeleteAsync() => EndAsync(() => queue.DeleteMessageAsync(message.MessageId, popReceipt));

    /// <summary>Gives the message back, to be seen again after a delay.</summary>
    public Task ReleaseAsync(TimeSpan delay) =>
        EndAsync(() => queue.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: delay));

    /// <summary>Stops renewing: what was neither deleted nor released is seen again when the lease runs out.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopRenewingAsync();
        ending.Dispose();
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(options.Renewal);
        try
        {
            while (await timer.WaitForNextTickAsync(ending.Token))
            {
                try
                {
                    UpdateReceipt receipt = await queue.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: options.Lease);
                    popReceipt = receipt.PopReceipt;
                }
                catch (RequestFailedException exception) when (IsLost(exception))
                {
                    HostLog.LeaseLost(logger, message.MessageId, queue.Name, exception.ErrorCode);
                    return;
                }
                catch (Exception exception)
                {
                    HostLog.RenewalFailed(logger, message.MessageId, queue.Name, StorageErrors.Sentence(exception));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The work ended.
        }
    }

    private async Task EndAsync(Func<Task> end)
    {
        await StopRenewingAsync();
        try
        {
            await end();
        }
        catch (RequestFailedException exception) when (IsLost(exception))
        {
            // Functions tolerate a second delivery, so the work stands either way.
            HostLog.LeaseLost(logger, message.MessageId, queue.Name, exception.ErrorCode);
        }
        catch (Exception exception)
        {
            HostLog.EndingFailed(logger, message.MessageId, queue.Name, StorageErrors.Sentence(exception));
        }
    }

    private async Task StopRenewingAsync()
    {
        await ending.CancelAsync();
        await renewing;
    }

    /// <summary>Gone, or received by somebody else since: Azure answers 404, and 400 or 412 for a stale receipt.</summary>
    private static bool IsLost(RequestFailedException exception) => exception.Status is 400 or 404 or 412;
}
