using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Hosting;
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
    ILogger logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan TimeToGiveBack = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource aborting = new();
    private Task listening = Task.CompletedTask;
    private int inHand;

    /// <summary>Messages being worked on.</summary>
    public int InHand => Volatile.Read(ref inHand);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        listening = Task.Run(ListenAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Waits for the messages in hand; when the token ends that, cancels them and gives them back.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        if (await EndsAsync(cancellationToken)) return;
        await aborting.CancelAsync();
        using var patience = new CancellationTokenSource(TimeToGiveBack);
        await EndsAsync(patience.Token);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    private async Task<bool> EndsAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(listening, Task.Delay(Timeout.Infinite, cancellationToken));
        if (!listening.IsCompleted) return false;
        await listening;
        return true;
    }

    private async Task ListenAsync()
    {
        var backoff = new PollingBackoff(options.MaxPollingInterval);
        var working = new List<Task>();
        while (!stopping.IsCancellationRequested)
        {
            QueueMessage[] messages = await ReceiveAsync();
            working.AddRange(messages.Select(message => Task.Run(() => WorkAsync(message))));
            if (messages.Length > 0) backoff.Reset();
            else await PauseAsync(backoff.Next());

            working.RemoveAll(task => task.IsCompleted);
            while (working.Count > options.NewBatchThreshold) working.Remove(await Task.WhenAny(working));
        }
        await Task.WhenAll(working);
    }

    /// <summary>A request under way is not cancelled by stopping: the messages that it takes would be invisible to everybody.</summary>
    private async Task<QueueMessage[]> ReceiveAsync()
    {
        try
        {
            return (await queue.ReceiveMessagesAsync(options.BatchSize, options.Lease, aborting.Token)).Value;
        }
        catch (Exception exception) when (StorageErrors.IsTransient(exception))
        {
            if (!aborting.IsCancellationRequested) HostLog.QueueUnreachable(logger, queue.Name, StorageErrors.Sentence(exception));
            return [];
        }
    }

    private async Task PauseAsync(TimeSpan pause) =>
        await Task.Delay(pause, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task WorkAsync(QueueMessage message)
    {
        Interlocked.Increment(ref inHand);
        try
        {
            await using var lease = new MessageVisibility(queue, message, options, logger);
            await AttemptAsync(message, lease);
        }
        catch (Exception exception)
        {
            // The message is still in the queue; the listener must outlive it.
            HostLog.FunctionFailed(logger, function, exception.Message, exception);
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
            HostLog.GivenBack(logger, message.MessageId, queue.Name);
            await lease.ReleaseAsync(TimeSpan.Zero);
            return;
        }
        catch (Exception exception)
        {
            HostLog.MessageFailed(logger, function, message.MessageId, message.DequeueCount, options.MaxDequeueCount, exception.Message);
            if (message.DequeueCount >= options.MaxDequeueCount || poison is null) await MoveToPoisonAsync(message, lease, exception.Message);
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
            HostLog.LeftInQueue(logger, message.MessageId, queue.Name, reason);
            return;
        }
        try
        {
            await poison.SendMessageAsync(message.Body, timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: CancellationToken.None);
        }
        catch (Exception exception) when (StorageErrors.IsTransient(exception))
        {
            HostLog.LeftInQueue(logger, message.MessageId, queue.Name, $"{poison.Name} does not take it: {StorageErrors.Sentence(exception)}");
            return;
        }
        HostLog.MovedToPoison(logger, message.MessageId, queue.Name, poison.Name, reason);
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
                message.MessageId, message.PopReceipt, body, message.DequeueCount, message.NextVisibleOn, message.InsertedOn, message.ExpiresOn);
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

/// <summary>Pauses between looks at an empty queue: doubling from 100 ms to the longest, and short again after a message.</summary>
internal sealed class PollingBackoff(TimeSpan longest)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private TimeSpan next = Shortest;

    /// <summary>The next pause.</summary>
    public TimeSpan Next()
    {
        TimeSpan pause = next < longest ? next : longest;
        next = pause * 2;
        return pause;
    }

    /// <summary>A message came.</summary>
    public void Reset() => next = Shortest;
}
