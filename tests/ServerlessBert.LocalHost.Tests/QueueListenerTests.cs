using System.Collections.Concurrent;
using System.Text;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging.Abstractions;
using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class QueueListenerTests(AzuriteFixture azurite)
{
    private static readonly QueueTriggerOptions Options = new()
    {
        BatchSize = 1,
        NewBatchThreshold = 1,
        VisibilityTimeout = TimeSpan.FromSeconds(1),
        MaxPollingInterval = TimeSpan.FromMilliseconds(200),
        Lease = TimeSpan.FromSeconds(2),
        Renewal = TimeSpan.FromMilliseconds(500),
    };

    [Fact]
    public async Task A_message_reaches_the_function_decoded_and_is_deleted()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "good reviews");
        var seen = new ConcurrentQueue<string>();
        await RunAsync(queue, poison, Options, (message, _) => { seen.Enqueue(message.Body.ToString()); return Task.CompletedTask; },
            () => IsEmptyAsync(queue));
        Assert.Equal(["good reviews"], seen);
        Assert.True(await IsEmptyAsync(poison));
    }

    [Fact]
    public async Task A_failing_message_is_tried_maxDequeueCount_times_and_then_lies_in_poison_as_it_was()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "bad");
        var attempts = new ConcurrentQueue<(long Count, DateTimeOffset At)>();
        await RunAsync(queue, poison, Options with { MaxDequeueCount = 3 }, (message, _) =>
        {
            attempts.Enqueue((message.DequeueCount, DateTimeOffset.UtcNow));
            throw new InvalidOperationException("cannot");
        }, () => IsEmptyAsync(queue));

        Assert.Equal([1, 2, 3], attempts.Select(attempt => attempt.Count));
        Assert.All(attempts.Zip(attempts.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= Options.VisibilityTimeout * 0.9));
        PeekedMessage moved = Assert.Single((await poison.PeekMessagesAsync(32)).Value);
        Assert.Equal(Base64("bad"), moved.Body.ToString());
        Assert.True(moved.ExpiresOn > DateTimeOffset.UtcNow.AddYears(10), "a message in poison must not expire");
    }

    [Fact]
    public async Task A_message_that_was_taken_too_often_goes_to_poison_without_another_attempt()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "kills its worker");
        for (int taken = 0; taken < 2; taken++)
        {
            QueueMessage message = (await queue.ReceiveMessageAsync()).Value;
            await queue.UpdateMessageAsync(message.MessageId, message.PopReceipt, visibilityTimeout: TimeSpan.Zero);
        }
        int runs = 0;
        await RunAsync(queue, poison, Options with { MaxDequeueCount = 2 }, (_, _) => { runs++; return Task.CompletedTask; },
            async () => !await IsEmptyAsync(poison));
        Assert.Equal(0, runs);
    }

    [Fact]
    public async Task A_message_that_is_not_Base64_goes_to_poison_and_the_next_one_is_worked_on()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await queue.SendMessageAsync("{ not base64 }");
        await SendAsync(queue, "next");
        var seen = new ConcurrentQueue<string>();
        await RunAsync(queue, poison, Options, (message, _) => { seen.Enqueue(message.Body.ToString()); return Task.CompletedTask; },
            () => IsEmptyAsync(queue));
        Assert.Equal(["next"], seen);
        Assert.Equal("{ not base64 }", Assert.Single((await poison.PeekMessagesAsync(32)).Value).Body.ToString());
    }

    [Fact]
    public async Task A_message_that_fails_in_a_poison_queue_stays_there()
    {
        var (queue, _) = await CreateQueuesAsync();
        await SendAsync(queue, "still bad");
        int attempts = 0;
        await RunAsync(queue, null, Options with { MaxDequeueCount = 1, Lease = TimeSpan.FromSeconds(1) }, (_, _) =>
        {
            attempts++;
            throw new InvalidOperationException("cannot");
        }, () => Task.FromResult(attempts >= 2));
        Assert.False(await IsEmptyAsync(queue));
    }

    [Fact]
    public async Task Renewal_keeps_a_long_message_invisible_and_the_last_receipt_deletes_it()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "long");
        int runs = 0;
        await RunAsync(queue, poison, Options, async (_, cancellationToken) =>
        {
            Interlocked.Increment(ref runs);
            await Task.Delay(Options.Lease * 2.5, cancellationToken);
        }, () => IsEmptyAsync(queue));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_killed_hosts_message_comes_back_when_its_lease_runs_out()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "again");
        // What a killed host leaves behind: a message taken, and nobody who renews it.
        Assert.NotNull((await queue.ReceiveMessageAsync(Options.Lease)).Value);
        long count = 0;
        await RunAsync(queue, poison, Options, (message, _) => { count = message.DequeueCount; return Task.CompletedTask; },
            () => IsEmptyAsync(queue));
        Assert.Equal(2, count);
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 2)]
    [InlineData(2, 1, 3)]
    public async Task No_more_than_batchSize_and_newBatchThreshold_are_in_hand(int batchSize, int newBatchThreshold, int most)
    {
        var (queue, poison) = await CreateQueuesAsync();
        for (int i = 0; i < 9; i++) await SendAsync(queue, $"{i}");
        int now = 0;
        var seen = new ConcurrentBag<int>();
        await RunAsync(queue, poison, Options with { BatchSize = batchSize, NewBatchThreshold = newBatchThreshold },
            async (message, cancellationToken) =>
        {
            seen.Add(Interlocked.Increment(ref now));
            await Task.Delay(100 + 40 * (message.Body.ToString()[0] - '0'), cancellationToken);
            Interlocked.Decrement(ref now);
        }, () => IsEmptyAsync(queue));
        Assert.Equal(9, seen.Count);
        Assert.Equal(most, seen.Max());
    }

    [Fact]
    public async Task Stopping_waits_for_the_message_in_hand_and_takes_no_other()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "in hand");
        var started = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        using QueueListener listener =
            Listen(queue, poison, Options with { NewBatchThreshold = 0 }, (_, _) => { started.SetResult(); return finish.Task; });
        await listener.StartAsync(default);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, listener.InHand);
        await SendAsync(queue, "too late");

        Task stopping = listener.StopAsync(default);
        await Task.Delay(300);
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(Base64("too late"), Assert.Single((await queue.PeekMessagesAsync(32)).Value).Body.ToString());
    }

    [Fact]
    public async Task When_the_drain_ends_first_the_message_is_given_back_at_once()
    {
        var (queue, poison) = await CreateQueuesAsync();
        await SendAsync(queue, "endless");
        var started = new TaskCompletionSource();
        using QueueListener listener = Listen(queue, poison, Options with { Lease = TimeSpan.FromMinutes(1) }, (_, cancellationToken) =>
        {
            started.SetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        });
        await listener.StartAsync(default);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10));
        using var drain = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await listener.StopAsync(drain.Token);
        Assert.Equal(Base64("endless"), (await queue.ReceiveMessageAsync()).Value?.Body.ToString());
    }

    /// <summary>A new queue without an encoding, and its poison queue.</summary>
    private async Task<(QueueClient Queue, QueueClient Poison)> CreateQueuesAsync()
    {
        string name = AzuriteFixture.NewPrefix() + "queue";
        var (queue, poison) =
            (new QueueClient(azurite.ConnectionString, name), new QueueClient(azurite.ConnectionString, name + "-poison"));
        await queue.CreateAsync();
        await poison.CreateAsync();
        return (queue, poison);
    }

    private static async Task RunAsync(
        QueueClient queue, QueueClient? poison, QueueTriggerOptions options,
            Func<QueueMessage, CancellationToken, Task> handle, Func<Task<bool>> until)
    {
        using QueueListener listener = Listen(queue, poison, options, handle);
        await listener.StartAsync(default);
        await Eventually.IsTrueAsync(until);
        await listener.StopAsync(default);
    }

    private static QueueListener Listen(
        QueueClient queue, QueueClient? poison, QueueTriggerOptions options, Func<QueueMessage, CancellationToken, Task> handle) =>
        new("Test", queue, poison, options, handle, NullLogger.Instance);

    /// <summary>Invisible messages count.</summary>
    private static async Task<bool> IsEmptyAsync(QueueClient queue) =>
        (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount == 0;

    private static Task SendAsync(QueueClient queue, string body) => queue.SendMessageAsync(Base64(body));

    private static string Base64(string body) => Convert.ToBase64String(Encoding.UTF8.GetBytes(body));
}
