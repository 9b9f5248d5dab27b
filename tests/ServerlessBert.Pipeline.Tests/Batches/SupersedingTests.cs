using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>A file dropped again while it is worked on, or removed.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class SupersedingTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_newer_drop_takes_the_older_ones_place_whichever_ends_first()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string older = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl", older);
        var olderBatches = await world.TakeBatchesAsync();
        await world.ClassifyAsync(olderBatches[0]);

        string newer = await world.DropRowsAsync("a.jsonl", 5);
        await world.ProcessAsync("a.jsonl");
        foreach (var message in olderBatches) await world.ClassifyAsync(message, 2);

        Assert.Equal(5, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
        Assert.Contains(newer, await world.SummaryAsync("a.jsonl"));
        Assert.Equal(RunState.Superseded, (await world.RunOfAsync("a.jsonl", older)).State);
        Assert.Equal(RunState.Done, (await world.RunOfAsync("a.jsonl", newer)).State);
    }

    [Fact]
    public async Task A_run_that_is_all_staged_does_not_publish_over_a_newer_drop()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        // Compressed: its batches read the run's own copy and do not notice the newer drop; the publishing must.
        var older = await StageAllButFinishAsync(world, "a.jsonl", 7);
        await world.DropRowsAsync("a.jsonl", 2);
        await world.ProcessAsync("a.jsonl");

        await world.Get<RunPublisher>().CompleteAsync(older);

        Assert.Equal(2, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
        Assert.Equal(RunState.Superseded, (await world.Get<RunStore>().TryReadAsync(older))!.State);
    }

    [Fact]
    public async Task A_run_does_not_publish_over_a_newer_one_whose_input_was_removed_since()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        var older = await StageAllButFinishAsync(world, "a.jsonl", 7);
        await Task.Delay(1100); // a drop's time is kept to the second
        await world.DropRowsAsync("a.jsonl", 2);
        await world.ProcessAsync("a.jsonl");
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        await world.Get<RunPublisher>().CompleteAsync(older);

        Assert.Equal(2, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task A_file_removed_after_its_last_batch_still_gets_its_predictions()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        var run = await StageAllButFinishAsync(world, "a.jsonl", 7);
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        await world.Get<RunPublisher>().CompleteAsync(run);

        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task A_file_removed_before_its_last_batch_fails_with_its_reason()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        foreach (var message in await world.TakeBatchesAsync()) await world.ClassifyAsync(message);

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "input_deleted"), (run.State, run.ErrorCode));
        Assert.Contains("input_deleted", await world.SummaryAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_failed_drop_leaves_no_predictions_of_the_older_one_beside_its_summary()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropAsync("a.csv", "text\ngood\n");
        await world.ProcessAsync("a.csv");
        Assert.NotNull(await world.PredictionsAsync("a.csv"));

        await world.DropAsync("a.csv", "name,place\nx,y\n");
        await world.ProcessAsync("a.csv");

        Assert.Null(await world.PredictionsAsync("a.csv"));
        Assert.Contains("no_text_column", await world.SummaryAsync("a.csv"));
    }

    [Fact]
    public async Task The_same_content_dropped_again_gives_the_same_bytes_by_a_run_of_its_own()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string first = await world.DropRowsAsync("a.jsonl", 4);
        await world.ProcessAsync("a.jsonl");
        string? before = await world.PredictionsAsync("a.jsonl");

        string second = await world.DropRowsAsync("a.jsonl", 4);
        await world.ProcessAsync("a.jsonl");

        Assert.NotEqual(RunId.Compute("a.jsonl", first), RunId.Compute("a.jsonl", second));
        Assert.Equal(before, await world.PredictionsAsync("a.jsonl"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_two_drops_in_one_second_the_late_older_run_never_touches_what_the_newer_published(bool completes)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        var older = await StageAllButFinishAsync(world, "a.jsonl", 7);
        string etag = await world.DropRowsAsync("a.jsonl", 2);
        await world.ProcessAsync("a.jsonl");
        // Storage keeps whole seconds; which of the two was first, nobody sees any more.
        var dropped = (await world.RunOfAsync("a.jsonl", etag)).Dropped;
        Run run = (await world.Get<RunStore>().UpdateAsync(older, now => now with { Dropped = dropped, ErrorMessage = "late" }, default))!;
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        if (completes) await world.Get<RunPublisher>().CompleteAsync(older);
        else await world.Get<RunPublisher>().FailAsync(run, "input_deleted", "It is gone.");

        Assert.Equal(2, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
        Assert.Contains(etag, await world.SummaryAsync("a.jsonl"));
        Assert.Equal(RunState.Superseded, (await world.Get<RunStore>().TryReadAsync(older))!.State);
    }

    // As a worker leaves it that dies between its last block and the commit.
    private static async Task<RunId> StageAllButFinishAsync(PipelineWorld world, string name, int rows)
    {
        string etag = await world.DropRowsAsync(name, rows);
        await world.SplitAsync(name);
        var id = RunId.Compute(name, etag);
        var messages = await world.TakeBatchesAsync();
        foreach (var message in messages.SkipLast(1)) await world.ClassifyAsync(message);
        var last = messages[^1];
        var lines = string.Concat(Enumerable.Range((int)last.Batch.FirstRow, last.Batch.Rows)
            .Select(row => $$"""{"row":{{row}}}""" + "\n"));
        await new StagedBatches(world.Storage, id).StageAsync(
            last.Block, System.Text.Encoding.UTF8.GetBytes(lines), new BatchStatistics { Rows = last.Batch.Rows }, default);
        return id;
    }
}
