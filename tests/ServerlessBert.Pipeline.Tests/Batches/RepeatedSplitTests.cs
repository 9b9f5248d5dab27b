using System.Text.Json.Nodes;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>A file is cut once: whoever splits it again takes the plan that stands, and only the plan's rows are committed.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class RepeatedSplitTests(AzuriteFixture azurite)
{
    private const int Rows = 40;

    [Theory]
    [InlineData("a.jsonl", 5, 1)]
    [InlineData("a.jsonl", 2, 2)]
    [InlineData("a.jsonl", 1000, 3)]
    public async Task A_split_that_is_repeated_with_another_cut_keeps_every_row_once(string name, int batchRows, int seed)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await using var other = await world.StartBesideAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Reviews:BatchRows", $"{batchRows}"));
        await world.PromoteAsync();
        await world.DropRowsAsync("clean.jsonl", Rows);
        await world.ProcessAsync("clean.jsonl");
        string etag = await world.DropRowsAsync(name, Rows);
        await world.SplitAsync(name);
        var messages = await world.TakeBatchesAsync();
        // The host died between queueing and its last write of the document.
        await world.Get<RunStore>().UpdateAsync(RunId.Compute(name, etag), now =>
            now with { State = RunState.Splitting, Batches = null, Plan = null }, default);

        await other.SplitAsync(name);
        messages.AddRange(await other.TakeBatchesAsync());
        var random = new Random(seed);
        foreach (var message in messages.OrderBy(_ => random.Next())) await (random.Next(2) == 0 ? world : other).DeliverAsync(message);

        Assert.Equal(await world.PredictionsAsync("clean.jsonl"), await world.PredictionsAsync(name));
        Assert.Equal((RunState.Done, (long?)Rows), await world.RunOfAsync(name, etag) is var run ? (run.State, run.Rows) : default);
    }

    [Fact]
    public async Task Messages_name_the_plan_and_two_splitters_at_once_name_the_same()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await using var other = await world.StartBesideAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Reviews:BatchRows", "7"));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", Rows);

        await Task.WhenAll(world.SplitAsync("a.jsonl"), other.SplitAsync("a.jsonl"));

        var plan = await new RunPlans(world.Storage).TryReadAsync(RunId.Compute("a.jsonl", etag), default);
        Assert.All(await world.TakeBatchesAsync(), message =>
            Assert.Equal((plan!.Digest, plan.Batches.Count, plan.Batches[message.Batch.Index]),
                (message.Plan, message.Batches, message.Batch)));
        Assert.Equal(plan!.Digest, (await world.RunOfAsync("a.jsonl", etag)).Plan);
    }

    [Fact]
    public async Task A_message_that_lies_about_the_number_of_batches_commits_nothing_early()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 10);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();

        await world.DeliverAsync(messages[0] with { Batches = 1 }, 2);
        Assert.Null(await world.PredictionsAsync("a.jsonl"));
        foreach (var message in messages.Skip(1)) await world.DeliverAsync(message);
        Assert.Equal(10, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task A_block_of_other_rows_is_never_among_the_committed_ones()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        var staged = new StagedBatches(world.Storage, RunId.Compute("a.jsonl", etag));
        var widened = messages[0].Batch with { Rows = 5 };
        await staged.StageAsync(BlockId.Compute(messages[0].Plan, widened), new byte[] { 1 }, new BatchStatistics { Rows = 5 }, default);
        await staged.StageAsync(BlockId.Compute("another plan", messages[0].Batch), new byte[] { 2 }, new BatchStatistics { Rows = 3 },
            default);

        foreach (var message in messages.Skip(1)) await world.DeliverAsync(message, 2);
        Assert.Null(await world.PredictionsAsync("a.jsonl"));
        await world.DeliverAsync(messages[0], 2);
        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("a.jsonl")).Length);
    }

    [Fact]
    public async Task Rows_that_are_not_the_plans_are_refused_and_the_run_fails_with_the_reason()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        foreach (var message in messages.Skip(1)) await world.DeliverAsync(message);
        await new StagedBatches(world.Storage, RunId.Compute("a.jsonl", etag))
            .StageAsync(messages[0].Block, new byte[] { (byte)'\n' }, new BatchStatistics { Rows = 2 }, default);

        await world.Get<RunPublisher>().CompleteAsync(RunId.Compute("a.jsonl", etag));

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "rows_mismatch"), (run.State, run.ErrorCode));
        Assert.Contains("2 rows", run.ErrorMessage);
        Assert.Null(await world.PredictionsAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_run_that_a_release_without_digests_began_is_finished_from_its_documents_and_messages()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("clean.jsonl", 10);
        await world.ProcessAsync("clean.jsonl");
        string etag = await world.DropRowsAsync("a.jsonl", 10);
        await world.SplitAsync("a.jsonl");
        var id = RunId.Compute("a.jsonl", etag);
        // As that release left them: a plan, a run and messages that name no digest, and blocks with ids of eight digits.
        var blob = new RunBlobs(world.Storage, id).Plan;
        JsonObject plan = JsonNode.Parse((await blob.DownloadContentAsync()).Value.Content)!.AsObject();
        plan.Remove("isRewritten");
        await blob.UploadAsync(new BinaryData(plan.ToJsonString()), overwrite: true);
        await world.Get<RunStore>().UpdateAsync(id, now => now with { Plan = null }, default);
        var messages = await world.TakeBatchesAsync();
        var old = messages.Select(message => ReviewBatchMessage.Parse((message with { Plan = null }).ToBody())).ToList();
        Assert.Equal("00000000", System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(old[0].Block.Value)));

        await world.DeliverAsync(old[0]);
        world.Clock.Advance(new RunOptions().StallTime + TimeSpan.FromSeconds(1));
        await world.Get<RunSweep>().SweepAsync(); // sees one staged
        await world.Get<RunSweep>().SweepAsync(); // queues the others again
        var again = await world.TakeBatchesAsync();
        Assert.Equal([1, 2, 3], again.Select(message => message.Batch.Index));
        foreach (var message in again) await world.DeliverAsync(message);

        Assert.Equal(await world.PredictionsAsync("clean.jsonl"), await world.PredictionsAsync("a.jsonl"));
    }
}
