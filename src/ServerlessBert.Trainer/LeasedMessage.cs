using System.Diagnostics;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Trainer;

/// <summary>
/// A message of training-requests, held by renewing its invisibility while the job works: the scaler only starts the
/// job, taking the message is the job's own business. A job that dies lets go, and the message comes back.
/// </summary>
internal sealed class LeasedMessage : IAsyncDisposable
{
    private readonly PipelineStorage storage;
    private readonly QueueMessage message;
    private readonly TimeSpan visibility;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stopRenewing = new();
    private readonly Task renewing;
    private string popReceipt;

    private LeasedMessage(PipelineStorage storage, QueueMessage message, TimeSpan visibility)
    {
        this.storage = storage;
        this.message = message;
        this.visibility = visibility;
        popReceipt = message.PopReceipt;
        renewing = RenewAsync();
    }

    /// <summary>The message's id: the same however often it is delivered.</summary>
    public string Id => message.MessageId;

    /// <summary>The message's body.</summary>
    public BinaryData Body => message.Body;

    /// <summary>Cancelled when another worker has the message now.</summary>
    public CancellationToken Lost => lost.Token;

    private QueueClient Requests => storage.Queue(StorageNames.TrainingRequests);

    /// <summary>Takes one message, or null where none waits.</summary>
    public static async Task<LeasedMessage?> TakeAsync(PipelineStorage storage, TimeSpan visibility, CancellationToken cancellationToken)
    {
        QueueMessage? message = await storage.Queue(StorageNames.TrainingRequests).ReceiveMessageAsync(visibility, cancellationToken);
        return message is null ? null : new LeasedMessage(storage, message, visibility);
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

    /// <summary>Puts the message back for another job to take.</summary>
    /// <param name="pause">How long it stays invisible, so that the scaler does not start a job in vain; zero to be taken at once.</param>
    public async Task ReleaseAsync(TimeSpan pause = default)
    {
        await StopRenewingAsync();
        await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: pause);
    }

    private async Task RenewAsync()
    {
        long held = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(visibility / 3);
        try
        {
            while (await timer.WaitForNextTickAsync(stopRenewing.Token))
            {
                try
                {
                    UpdateReceipt renewed = await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: visibility, cancellationToken: stopRenewing.Token);
                    popReceipt = renewed.PopReceipt;
                    held = Stopwatch.GetTimestamp();
                }
                catch (Exception exception) when (exception is RequestFailedException or AggregateException)
                {
                    // Storage may be away for a moment. A refusal is another thing: taken by another worker, or deleted
                    // by hand; so is silence for as long as the message was invisible.
                    bool isRefused = exception is RequestFailedException { Status: 400 or 404 };
                    if (!isRefused && Stopwatch.GetElapsedTime(held) < visibility) continue;
                    await lost.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop: the work is done.
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
