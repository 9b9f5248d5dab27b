using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>What a host cannot do is not the batch's failure: the message goes back uncounted, for a host that can.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class SickHostTests(AzuriteFixture azurite)
{
    private static readonly KeyValuePair<string, string?> Briefly = new("ServerlessBert:Runs:HostRetryDelay", "00:00:00.01");

    public static TheoryData<Exception> Failures =>
    [
        new IOException("No space left on device."),
        new OutOfMemoryException("Insufficient memory."),
        new NotSupportedException("bfloat16 needs a processor that this host does not have."),
        new InvalidOperationException("Failed to convert configuration value 'float7' at 'ServerlessBert:Inference:Dtype'."),
    ];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_batch_that_a_sick_host_cannot_do_is_done_by_a_healthy_one_and_loses_no_attempt(Exception failure)
    {
        await using var sick = await PipelineWorld.StartAsync(azurite, Briefly);
        await using var healthy = await sick.StartBesideAsync(azurite);
        await sick.PromoteAsync();
        await healthy.DropRowsAsync("clean.jsonl", 7);
        await healthy.ProcessAsync("clean.jsonl");
        string etag = await sick.DropRowsAsync("a.jsonl", 7);
        await sick.SplitAsync("a.jsonl");
        sick.LoadFailure = failure;

        // The sick host takes every message far more often than a batch may fail.
        for (int round = 0; round < 8; round++)
        {
            foreach (var message in await sick.TakeBatchesAsync()) await sick.DeliverAsync(message);
        }
        var messages = await sick.TakeBatchesAsync();
        Assert.Equal([(0, 0L), (1, 0L), (2, 0L)], messages.Select(message => (message.Batch.Index, message.Attempts)));
        Assert.False(await new RunBlobs(sick.Storage, RunId.Compute("a.jsonl", etag)).Failure(0).ExistsAsync());
        Assert.Contains("cannot load model", (await sick.RunOfAsync("a.jsonl", etag)).Waiting);
        var status = await sick.Get<PipelineStatus>().ReadAsync();
        Assert.Contains(failure.Message, status.HostTrouble!.Reason);
        Assert.Contains(failure.Message, status.Host.LastError);

        foreach (var message in messages) await healthy.DeliverAsync(message);
        Assert.Equal(await healthy.PredictionsAsync("clean.jsonl"), await healthy.PredictionsAsync("a.jsonl"));
        Assert.Null((await sick.RunOfAsync("a.jsonl", etag)).Waiting);
    }

    [Fact]
    public async Task A_host_that_recovers_takes_batches_again_and_says_so()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Briefly);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 3);
        await world.SplitAsync("a.jsonl");
        world.LoadFailure = new IOException("No space left on device.");
        await world.DeliverAsync(Assert.Single(await world.TakeBatchesAsync()));
        Assert.NotNull(world.Get<HostReadiness>().Trouble);

        world.LoadFailure = null;
        await world.DeliverAsync(Assert.Single(await world.TakeBatchesAsync()));

        Assert.Null(world.Get<HostReadiness>().Trouble);
        Assert.Equal(3, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
        Assert.Empty(await world.TakeBatchesAsync());
    }

    [Fact]
    public async Task While_a_host_holds_it_tries_no_other_batch_but_gives_it_back_at_once()
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:HostRetryDelay", "00:01:00"));
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 6);
        await world.SplitAsync("a.jsonl");
        world.LoadFailure = new IOException("No space left on device.");
        var messages = await world.TakeBatchesAsync();
        using var stop = new CancellationTokenSource();

        Task first = world.DeliverAsync(messages[0], 1, stop.Token);
        await Eventually.IsTrueAsync(() => world.Get<HostReadiness>().IsHolding);
        Task second = world.DeliverAsync(messages[1], 1, stop.Token);
        await Eventually.IsTrueAsync(async () =>
            (await world.Storage.Queue(StorageNames.ReviewBatches).GetPropertiesAsync()).Value.ApproximateMessagesCount == 2);

        Assert.Equal(1, world.Get<HostReadiness>().Trouble!.Failures);
        Assert.False(first.IsCompleted || second.IsCompleted);
        await stop.CancelAsync();
        await Task.WhenAll(first, second);
    }

    [Fact]
    public async Task A_run_that_waits_for_a_host_is_not_given_up_by_the_sweep()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Briefly, new("ServerlessBert:Runs:MaxAttempts", "1"));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 6);
        await world.SplitAsync("a.jsonl");
        world.LoadFailure = new IOException("No space left on device.");
        for (int round = 0; round < 4; round++)
        {
            world.Clock.Advance(new RunOptions().StallTime + TimeSpan.FromSeconds(1));
            foreach (var message in await world.TakeBatchesAsync()) await world.DeliverAsync(message);
            await world.Get<RunSweep>().SweepAsync();
        }
        Assert.Equal((RunState.Classifying, 0), await world.RunOfAsync("a.jsonl", etag) is var run ? (run.State, run.Attempts) : default);

        world.LoadFailure = null;
        world.Clock.Advance(TimeSpan.FromMinutes(3));
        foreach (var message in await world.TakeBatchesAsync()) await world.DeliverAsync(message);
        Assert.DoesNotContain("error", await world.PredictionsAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_failure_of_the_batch_itself_still_counts_and_after_the_last_its_rows_are_errors()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Briefly);
        await world.PromoteAsync();
        await world.DropAsync("a.jsonl", """{"text":"deadly"}""");
        await world.SplitAsync("a.jsonl");
        world.PoisonText = "deadly";
        var message = Assert.Single(await world.TakeBatchesAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.DeliverAsync(message, 1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.DeliverAsync(message, 2));

        // Given back at its third delivery: the two that failed stay counted.
        world.PoisonText = null;
        using (var stopped = new CancellationTokenSource())
        {
            await stopped.CancelAsync();
            await world.DeliverAsync(message, 3, stopped.Token);
        }
        world.PoisonText = "deadly";
        message = Assert.Single(await world.TakeBatchesAsync());
        Assert.Equal(2, message.Attempts);
        for (int count = 1; count < 3; count++)
            await Assert.ThrowsAsync<InvalidOperationException>(() => world.DeliverAsync(message, count));
        await world.DeliverAsync(message, 3);

        string? error = OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl"))[0].GetProperty("error").GetProperty("message")
            .GetString();
        Assert.Contains("failed 5 times", error);
    }

    [Fact]
    public async Task A_batch_whose_host_stops_goes_back_and_the_attempt_is_not_counted()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("before.jsonl", 3);
        await world.ProcessAsync("before.jsonl"); // loads the model, and warms it up without a gate
        string etag = await world.DropRowsAsync("a.jsonl", 3);
        await world.SplitAsync("a.jsonl");
        world.ComputeGate = new TaskCompletionSource().Task;
        for (int stop = 0; stop < 7; stop++)
        {
            using var stopping = new CancellationTokenSource();
            int before = world.Tokenized;
            Task delivery = world.DeliverAsync(Assert.Single(await world.TakeBatchesAsync()), 1, stopping.Token);
            await Eventually.IsTrueAsync(() => world.Tokenized > before);
            await stopping.CancelAsync();
            await delivery;
        }
        Assert.False(await new RunBlobs(world.Storage, RunId.Compute("a.jsonl", etag)).Failure(0).ExistsAsync());

        world.ComputeGate = Task.CompletedTask;
        var message = Assert.Single(await world.TakeBatchesAsync());
        Assert.Equal(0, message.Attempts);
        await world.DeliverAsync(message);
        Assert.DoesNotContain("error", await world.PredictionsAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_split_whose_host_stops_goes_back_to_its_queue()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 3);
        await world.Get<FileDelivery>()
            .HandleAsync(new ReviewFileMessage { Blob = BlobName.Parse("a.jsonl") }, new CancellationToken(canceled: true));
        await world.Get<FileDelivery>().HandleAsync(Assert.Single(await world.TakeFilesAsync()));
        Assert.Single(await world.TakeBatchesAsync());
    }
}
