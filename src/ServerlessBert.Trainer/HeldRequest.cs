using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Trainer;

/// <summary>
/// A message of training-requests, held by renewing its invisibility while the job works: the scaler only starts the
/// job, taking the message is the job's own business. A job that dies lets go, and the message comes back.
/// </summary>
internal sealed class HeldRequest : IAsyncDisposable
{
    private readonly PipelineStorage storage;
    private readonly QueueMessage message;
    private readonly TimeSpan visibility;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stopRenewing = new();
    private readonly Task renewing;
    private string popReceipt;

    private HeldRequest(PipelineStorage storage, QueueMessage message, TimeSpan visibility)
    {
        this.storage = storage;
        this.message = message;
        this.visibility = visibility;
        popReceipt = message.PopReceipt;
        renewing = RenewAsync();
    }

    /// <summary>How often the message was taken, this time included.</summary>
    public long Attempt => message.DequeueCount;

    /// <summary>The message's body.</summary>
    public BinaryData Body => message.Body;

    /// <summary>Cancelled when another worker has the message now.</summary>
    public CancellationToken Lost => lost.Token;

    private QueueClient Requests => storage.Queue(StorageNames.TrainingRequests);

    /// <summary>Takes one message, or null where none waits.</summary>
    public static async Task<HeldRequest?> TakeAsync(PipelineStorage storage, TimeSpan visibility, CancellationToken cancellationToken)
    {
        QueueMessage? message = await storage.Queue(StorageNames.TrainingRequests).ReceiveMessageAsync(visibility, cancellationToken);
        return message is null ? null : new HeldRequest(storage, message, visibility);
    }

    /// <summary>The work is done: deletes the message.</summary>
    public async Task CompleteAsync()
    {
        await StopRenewingAsync();
        await Requests.DeleteMessageAsync(message.MessageId, popReceipt);
    }

    /// <summary>Gives up: the message goes to the poison queue with the reason.</summary>
    public async Task PoisonAsync(string reason)
    {
        await StopRenewingAsync();
        var poison = new PoisonMessage(reason, DateTimeOffset.UtcNow, message.Body.ToString());
        await storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).SendMessageAsync(poison.ToBody());
        await Requests.DeleteMessageAsync(message.MessageId, popReceipt);
    }

    /// <summary>Puts the message back for the next job to take at once.</summary>
    public async Task ReleaseAsync()
    {
        await StopRenewingAsync();
        await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: TimeSpan.Zero);
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(visibility / 3);
        try
        {
            while (await timer.WaitForNextTickAsync(stopRenewing.Token))
            {
                UpdateReceipt renewed = await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: visibility, cancellationToken: stopRenewing.Token);
                popReceipt = renewed.PopReceipt;
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop: the work is done.
        }
        catch (RequestFailedException)
        {
            // Taken by another worker, deleted by hand, or storage is away for longer than the client's own retries:
            // whichever it is, this job must not go on as if it held the message.
            await lost.CancelAsync();
        }
    }

    private async Task StopRenewingAsync()
    {
        await stopRenewing.CancelAsync();
        await renewing;
    }

    public async ValueTask DisposeAsync()
    {
        await StopRenewingAsync();
        lost.Dispose();
        stopRenewing.Dispose();
    }
}
