using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class HousekeepingTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_done_input_moves_to_processed_and_is_no_new_drop()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Option(ProcessedInput.Move));
        await world.PromoteAsync();
        await world.DropRowsAsync("in/a.jsonl", 7);
        await world.DropAsync("broken.csv", "name,price\na,1\n");
        await world.ProcessAsync("in/a.jsonl");
        await world.ProcessAsync("broken.csv");

        Assert.Equal(["broken.csv", "processed/in/a.jsonl"], await NamesAsync(world, StorageNames.Reviews));
        world.Clock.Advance(TimeSpan.FromHours(1));
        await world.Get<RunSweep>().SweepAsync();
        await world.SplitAsync("processed/in/a.jsonl");
        Assert.Empty(await world.TakeFilesAsync());
        Assert.Empty(await world.TakeBatchesAsync());
        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("in/a.jsonl")).Length);

        await world.DropRowsAsync("in/a.jsonl", 4);
        await world.ProcessAsync("in/a.jsonl");
        Assert.Equal(4, OneRunTests.LinesOf(await world.PredictionsAsync("in/a.jsonl")).Length);
        Assert.Equal(["broken.csv", "processed/in/a.jsonl"], await NamesAsync(world, StorageNames.Reviews));
    }

    [Fact]
    public async Task A_done_input_is_tagged_and_is_no_new_drop()
    {
        await using var world = await PipelineWorld.StartAsync(azurite, Option(ProcessedInput.Tag));
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 2);
        await world.ProcessAsync("a.jsonl");

        var input = world.Storage.Container(StorageNames.Reviews).GetBlobClient("a.jsonl");
        GetBlobTagResult tags = await input.GetTagsAsync();
        Assert.Equal(("done", RunId.Compute("a.jsonl", etag)), (tags.Tags["state"], tags.Tags["run"]));
        Assert.Equal(etag, ETags.Unquote((await input.GetPropertiesAsync()).Value.ETag));
        world.Clock.Advance(TimeSpan.FromHours(1));
        await world.Get<RunSweep>().SweepAsync();
        Assert.Empty(await world.TakeFilesAsync());
    }

    [Theory]
    [InlineData(ProcessedInput.Move)]
    [InlineData(ProcessedInput.Tag)]
    public async Task What_a_dying_worker_left_undone_the_sweep_does(ProcessedInput option)
    {
        await using var first = await PipelineWorld.StartAsync(azurite);
        await first.PromoteAsync();
        await first.DropRowsAsync("a.jsonl", 2);
        await first.ProcessAsync("a.jsonl"); // keeps it, as if the worker had died before it moved

        await using var second = await PipelineWorld.StartAsync(azurite, Option(option),
            new(PipelineStorage.PrefixKey, first.Storage.Prefix));
        await second.Get<RunSweep>().SweepAsync();

        string name = option == ProcessedInput.Move ? "processed/a.jsonl" : "a.jsonl";
        Assert.Equal([name], await NamesAsync(second, StorageNames.Reviews));
        GetBlobTagResult tags = await second.Storage.Container(StorageNames.Reviews).GetBlobClient(name).GetTagsAsync();
        Assert.Equal(option == ProcessedInput.Tag, tags.Tags.ContainsKey("state"));
    }

    [Fact]
    public async Task What_runs_left_goes_after_its_time_but_a_standing_file_is_never_taken_for_a_new_one()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string stands = await world.DropRowsAsync("stands.jsonl", 4);
        await world.DropRowsAsync("gone.jsonl", 4);
        await world.ProcessAsync("stands.jsonl");
        await world.ProcessAsync("gone.jsonl");
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("gone.jsonl");

        world.Clock.Advance(new RunOptions().KeepEnded - TimeSpan.FromMinutes(1));
        await world.Get<RunSweep>().SweepAsync();
        Assert.True((await NamesAsync(world, StorageNames.Runs)).Length > 4);

        world.Clock.Advance(TimeSpan.FromMinutes(5));
        for (int sweep = 0; sweep < 2; sweep++)
        {
            await world.Get<RunSweep>().SweepAsync();
            var left = (await NamesAsync(world, StorageNames.Runs)).Where(name => !name.StartsWith("dtypes/", StringComparison.Ordinal));
            Assert.Equal([RunId.Compute("stands.jsonl", stands) + ".json"], left);
            Assert.Empty(await world.TakeFilesAsync());
        }
        Assert.Equal(RunState.Done, (await world.RunOfAsync("stands.jsonl", stands)).State);
        Assert.Equal(4, OneRunTests.LinesOf(await world.PredictionsAsync("gone.jsonl")).Length);
    }

    private static KeyValuePair<string, string?> Option(ProcessedInput option) =>
        new("ServerlessBert:Runs:ProcessedInput", option.ToString());

    private static async Task<string[]> NamesAsync(PipelineWorld world, string container) =>
        await world.Storage.Container(container).GetBlobsAsync().Select(blob => blob.Name).Order(StringComparer.Ordinal).ToArrayAsync();
}
