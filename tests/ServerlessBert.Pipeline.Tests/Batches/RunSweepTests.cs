using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class RunSweepTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Stall = new RunOptions().StallTime + TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_file_whose_event_went_missing_is_queued_and_one_with_a_run_is_not()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("known.jsonl", 2);
        await world.ProcessAsync("known.jsonl");
        string etag = await world.DropRowsAsync("forgotten.jsonl", 2);
        world.Clock.Advance(TimeSpan.FromSeconds(2));

        await SweepAsync(world);

        Assert.Equal(new ReviewFileMessage { Blob = BlobName.Parse("forgotten.jsonl"), ETag = etag },
            Assert.Single(await world.TakeFilesAsync()));
    }

    [Fact]
    public async Task A_file_whose_message_still_waits_is_not_queued_twice()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 2);
        world.Clock.Advance(TimeSpan.FromSeconds(2));

        await SweepAsync(world);
        await SweepAsync(world);

        Assert.Single(await world.TakeFilesAsync());
    }

    [Fact]
    public async Task A_file_just_dropped_is_left_to_its_event_and_without_a_model_every_file_waits()
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:Grace", "00:00:30"));
        await world.DropRowsAsync("a.jsonl", 2);
        world.Clock.Advance(TimeSpan.FromSeconds(31));
        await SweepAsync(world);
        Assert.Empty(await world.TakeFilesAsync());

        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 2);
        world.Clock.Advance(TimeSpan.FromSeconds(-31));
        await SweepAsync(world);
        Assert.Empty(await world.TakeFilesAsync());
        world.Clock.Advance(TimeSpan.FromSeconds(33));
        await SweepAsync(world);
        Assert.Single(await world.TakeFilesAsync());
    }

    [Fact]
    public async Task Lost_messages_are_found_and_exactly_the_missing_batches_queued_again()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 13);
        string etag = await world.DropRowsAsync("lossy.jsonl", 13);
        await world.ProcessAsync("a.jsonl");
        await world.SplitAsync("lossy.jsonl");
        var messages = await world.TakeBatchesAsync();
        foreach (int batch in new[] { 0, 2, 4 }) await world.ClassifyAsync(messages[batch]);

        await SweepAsync(world);
        Assert.Empty(await world.TakeBatchesAsync());
        world.Clock.Advance(Stall);
        await SweepAsync(world); // sees three staged since it looked last: progress
        Assert.Empty(await world.TakeBatchesAsync());
        await SweepAsync(world);

        var again = await world.TakeBatchesAsync();
        Assert.Equal([1, 3], again.Select(message => message.Batch.Index));
        Assert.Equal(messages[1], again[0]);
        foreach (var message in again) await world.ClassifyAsync(message);
        Assert.Equal(await world.PredictionsAsync("a.jsonl"), await world.PredictionsAsync("lossy.jsonl"));
        Assert.Equal(1, (await world.RunOfAsync("lossy.jsonl", etag)).Attempts);
    }

    [Fact]
    public async Task Batches_that_still_wait_in_the_queue_are_not_queued_again()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 13);
        await world.SplitAsync("a.jsonl");

        world.Clock.Advance(Stall);
        await SweepAsync(world);

        Assert.Equal(5, (await world.TakeBatchesAsync()).Count);
    }

    [Fact]
    public async Task After_the_last_attempt_the_sweep_writes_the_error_rows_itself()
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:MaxAttempts", "2"));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 4);
        await world.SplitAsync("a.jsonl");
        await world.TakeBatchesAsync();

        for (int attempt = 0; attempt < 3; attempt++)
        {
            Assert.Null(await world.PredictionsAsync("a.jsonl"));
            world.Clock.Advance(Stall);
            await SweepAsync(world);
            await world.TakeBatchesAsync();
        }

        var lines = OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl"));
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal("batch_failed", line.GetProperty("error").GetProperty("code").GetString()));
        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Done, 4L), (run.State, run.ErrorRows));
    }

    [Fact]
    public async Task A_run_that_is_all_staged_but_was_left_is_finished()
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:FinishTail", "0"));
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 7);
        await world.ProcessAsync("a.jsonl");
        Assert.Null(await world.PredictionsAsync("a.jsonl"));

        world.Clock.Advance(Stall);
        await SweepAsync(world);

        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task A_splitting_that_was_cut_off_is_asked_for_again_and_then_goes_through()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 4);
        var run = Splitting(model, etag);
        Assert.True(await world.Get<RunStore>().TryCreateAsync(run, default));
        await world.PromoteAsync(2);

        world.Clock.Advance(new RunOptions().SplitStallTime + TimeSpan.FromSeconds(1));
        await SweepAsync(world);
        await world.Get<FileSplitter>().SplitAsync(Assert.Single(await world.TakeFilesAsync()));
        foreach (var message in await world.TakeBatchesAsync()) await world.ClassifyAsync(message);

        Assert.All(OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")), line =>
            Assert.Equal(model, line.GetProperty("model").GetString()));
    }

    [Fact]
    public async Task A_splitting_that_never_succeeds_ends_as_failed()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 4);
        await world.Get<RunStore>().TryCreateAsync(Splitting(model, etag) with { Attempts = new RunOptions().MaxAttempts }, default);

        world.Clock.Advance(new RunOptions().SplitStallTime + TimeSpan.FromSeconds(1));
        await SweepAsync(world);

        Assert.Equal("splitting_failed", (await world.RunOfAsync("a.jsonl", etag)).ErrorCode);
    }

    private static Run Splitting(string model, string etag) => new()
    {
        Id = RunId.Compute("a.jsonl", etag),
        Blob = BlobName.Parse("a.jsonl"),
        ETag = etag,
        Model = model,
        State = RunState.Splitting,
        Dropped = DateTimeOffset.UtcNow,
        Started = DateTimeOffset.UtcNow,
    };

    private static Task SweepAsync(PipelineWorld world) => world.Get<RunSweep>().SweepAsync();
}
