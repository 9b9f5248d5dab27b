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
    private readonly RenewedLease held;
    private string popReceipt;

    private LeasedMessage(PipelineStorage storage, QueueMessage message, TimeSpan visibility, long taken)
    {
        (this.storage, this.message, popReceipt) = (storage, message, message.PopReceipt);
        Body = QueueTexts.TryDecode(message.Body);
        var renewal = new RenewedLeaseOptions
        {
            Duration = visibility,
            Interval = visibility / 3,
            // Taken by another worker, or deleted by hand.
            IsRefused = exception => exception is RequestFailedException { Status: 400 or 404 },
        };
        held = new RenewedLease(renewal, async cancellationToken =>
        {
            UpdateReceipt renewed = await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: visibility,
                cancellationToken: cancellationToken);
            popReceipt = renewed.PopReceipt;
        }, taken);
    }

    /// <summary>The message's id: the same however often it is delivered.</summary>
    public string Id => message.MessageId;

    /// <summary>The message's body; null where its text is not Base64.</summary>
    public BinaryData? Body { get; }

    /// <summary>Cancelled when another worker may have the message now.</summary>
    public CancellationToken Lost => held.Lost;

    private QueueClient Requests => storage.RawQueue(StorageNames.TrainingRequests);

    /// <summary>Takes one message, or null where none waits.</summary>
    public static async Task<LeasedMessage?> TakeAsync(PipelineStorage storage, TimeSpan visibility, CancellationToken cancellationToken)
    {
        long taken = Stopwatch.GetTimestamp();
        QueueMessage? message = await storage.RawQueue(StorageNames.TrainingRequests).ReceiveMessageAsync(visibility, cancellationToken);
        return message is null ? null : new LeasedMessage(storage, message, visibility, taken);
    }

    /// <summary>The work is done: deletes the message.</summary>
    public async Task CompleteAsync()
    {
        await held.StopAsync();
        await Requests.DeleteMessageAsync(message.MessageId, popReceipt);
    }

    /// <summary>Dead-letters the message: it goes to the poison queue with the reason, and stays there until somebody takes it.</summary>
    public async Task PoisonAsync(string reason)
    {
        await held.StopAsync();
        var poison = new PoisonMessage(reason, DateTimeOffset.UtcNow, (Body ?? message.Body).ToString());
        await storage.Queue(StorageNames.TrainingRequests + StorageNames.PoisonSuffix).SendKeptAsync(poison.ToBody());
        await Requests.DeleteMessageAsync(message.MessageId, popReceipt);
    }

    /// <summary>Puts the message back for another job to take.</summary>
    /// <param name="delay">How long it stays invisible, so that the scaler does not start a job in vain; zero to be taken at once.</param>
    public async Task ReleaseAsync(TimeSpan delay = default)
    {
        await held.StopAsync();
        await Requests.UpdateMessageAsync(message.MessageId, popReceipt, visibilityTimeout: delay);
    }

    public ValueTask DisposeAsync() => held.DisposeAsync();
}
