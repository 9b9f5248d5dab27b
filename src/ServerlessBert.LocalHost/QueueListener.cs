using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Feeds a function from a queue by the Functions host's rules: batchSize and newBatchThreshold bound what is in hand;
/// a failure is tried again after visibilityTimeout; after maxDequeueCount attempts the message moves to the poison
/// queue. Stopping takes no more messages and waits for those in hand.
/// </summary>
/// <param name="function">The function's name, for the log.</param>
/// <param name="queue">The queue, without a message encoding of its own: what cannot be decoded must still be moved.</param>
/// <param name="poison">Where messages go that were given up on; null for a poison queue, whose messages stay.</param>
/// <param name="options">host.json's limits.</param>
/// <param name="handle">Runs the function on a decoded message.</param>
/// <param name="logger">Where attempts and moves are logged.</param>
internal sealed class QueueListener(
    string function,
    QueueClient queue,
    QueueClient? poison,
    QueueTriggerOptions options,
    Func<QueueMessage, CancellationToken, Task> handle,
    ILogger logger) : HostLoop(queue.Name, logger)
{
    private static readonly TimeSpan TimeToGiveBack = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource aborting = new();
    private readonly PollingBackoff backoff = new(options.MaxPollingInterval);
    private readonly List<Task> working = [];
    private int inHand;

    /// <summary>Messages being worked on.</summary>
    public int InHand => Volatile.Read(ref inHand);

    /// <summary>Waits for the messages in hand; when the token ends that, cancels them and gives them back.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (ExecuteTask is not { IsCompleted: false } drain) return;
        await aborting.CancelAsync();
        await drain.WaitAsync(TimeToGiveBack, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        aborting.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await base.ExecuteAsync(stoppingToken);
        await Task.WhenAll(working);
    }

    /// <inheritdoc/>
    protected override async Task<TimeSpan> RoundAsync(CancellationToken stoppingToken)
    {
        working.RemoveAll(task => task.IsCompleted);
        while (working.Count > options.NewBatchThreshold) working.Remove(await Task.WhenAny(working));
        if (stoppingToken.IsCancellationRequested) return TimeSpan.Zero;

        QueueMessage[] messages = await ReceiveAsync();
        working.AddRange(messages.Select(message => Task.Run(() => WorkAsync(message), CancellationToken.None)));
        if (messages.Length == 0) return backoff.Next();
        backoff.Reset();
        return TimeSpan.Zero;
    }

    /// <summary>A request under way is not cancelled by stopping: the messages that it takes would be invisible to everybody.</summary>
    private async Task<QueueMessage[]> ReceiveAsync()
    {
        try
        {
            return (await queue.ReceiveMessagesAsync(options.BatchSize, options.Lease, aborting.Token)).Value;
        }
        catch (Exception exception)
        {
            // Whatever it is: what a broken proxy answers with 200 is not what a storage client expects.
            if (!aborting.IsCancellationRequested) HostLog.QueueUnreachable(Logger, queue.Name, StorageErrors.Sentence(exception));
            return [];
        }
    }

    private async Task WorkAsync(QueueMessage message)
    {
        Interlocked.Increment(ref inHand);
        try
        {
            await using var lease = new MessageVisibility(queue, message, options, Logger);
            await AttemptAsync(message, lease);
        }
        catch (Exception exception)
        {
            // The message is still in the queue; the listener must outlive it.
            HostLog.FunctionFailed(Logger, function, exception.Message, exception);
        }
        finally
        {
            Interlocked.Decrement(ref inHand);
        }
    }

    private async Task AttemptAsync(QueueMessage message, MessageVisibility lease)
    {
        if (message.DequeueCount > options.MaxDequeueCount && poison is not null)
        {
            await MoveToPoisonAsync(message, lease, $"{message.DequeueCount - 1} attempts ended without a result");
            return;
        }
        if (!QueueMessageBinding.TryDecode(message, options.IsBase64, out QueueMessage? decoded))
        {
            await MoveToPoisonAsync(message, lease, "its text is not Base64, which host.json's messageEncoding asks for");
            return;
        }
        try
        {
            await handle(decoded, aborting.Token);
        }
        catch (OperationCanceledException) when (aborting.IsCancellationRequested)
        {
            HostLog.GivenBack(Logger, message.MessageId, queue.Name);
            await lease.ReleaseAsync(TimeSpan.Zero);
            return;
        }
        catch (Exception exception)
        {
            HostLog.MessageFailed(Logger, function, message.MessageId, message.DequeueCount, options.MaxDequeueCount, exception.Message);
            if (message.DequeueCount >= options.MaxDequeueCount || poison is null)
                await MoveToPoisonAsync(message, lease, exception.Message);
            else await lease.ReleaseAsync(options.VisibilityTimeout);
            return;
        }
        await lease.DeleteAsync();
    }

    /// <summary>Copies, then deletes: a crash between the two leaves the message twice, never nowhere.</summary>
    private async Task MoveToPoisonAsync(QueueMessage message, MessageVisibility lease, string reason)
    {
        if (poison is null)
        {
            HostLog.LeftInQueue(Logger, message.MessageId, queue.Name, reason);
            return;
        }
        try
        {
            await poison.SendMessageAsync(message.Body, timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: CancellationToken.None);
        }
        catch (Exception exception)
        {
            HostLog.LeftInQueue(
                Logger, message.MessageId, queue.Name, $"{poison.Name} does not take it: {StorageErrors.Sentence(exception)}");
            return;
        }
        HostLog.MovedToPoison(Logger, message.MessageId, queue.Name, poison.Name, reason);
        await lease.DeleteAsync();
    }
}

/// <summary>A queue message as a function's parameter.</summary>
internal static class QueueMessageBinding
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    /// <summary>The message with its body decoded; false when it is not Base64.</summary>
    public static bool TryDecode(QueueMessage message, bool isBase64, [NotNullWhen(true)] out QueueMessage? decoded)
    {
        decoded = message;
        if (!isBase64) return true;
        try
        {
            var body = BinaryData.FromBytes(Convert.FromBase64String(message.Body.ToString()));
            decoded = QueuesModelFactory.QueueMessage(
                message.MessageId, message.PopReceipt, body, message.DequeueCount, message.NextVisibleOn, message.InsertedOn,
                    message.ExpiresOn);
            return true;
        }
        catch (FormatException)
        {
            decoded = null;
            return false;
        }
    }

    /// <summary>The message as the parameter's type: itself, its body, or an object read from its JSON.</summary>
    /// <exception cref="JsonException">The body is not the type's JSON.</exception>
    public static object? As(QueueMessage message, Type type) =>
        type == typeof(QueueMessage) ? message
        : type == typeof(BinaryData) ? message.Body
        : type == typeof(string) ? message.Body.ToString()
        : type == typeof(byte[]) ? message.Body.ToArray()
        : JsonSerializer.Deserialize(message.Body, type, Json);
}

/// <summary>Delays between looks at an empty queue: doubling from 100 ms to the maximum, and short again after a message.</summary>
internal sealed class PollingBackoff(TimeSpan maxDelay)
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(100);
    private TimeSpan next = MinDelay;

    /// <summary>The next delay.</summary>
    public TimeSpan Next()
    {
        TimeSpan delay = next < maxDelay ? next : maxDelay;
        next = delay * 2;
        return delay;
    }

    /// <summary>A message came.</summary>
    public void Reset() => next = MinDelay;
}
