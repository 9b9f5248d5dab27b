using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

/// <summary>Whatever storage lost of a run, it is mended or fails with a reason.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class EndingTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Stall = new RunOptions().SplitStallTime + TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Blocks_that_storage_forgot_are_made_again(bool ofPredictions)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("clean.jsonl", 7);
        await world.ProcessAsync("clean.jsonl");
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        var messages = await world.TakeBatchesAsync();
        foreach (var message in messages.SkipLast(1)) await world.DeliverAsync(message);
        // Storage forgets blocks a week after the last one was staged, each blob's by itself.
        var blobs = new RunBlobs(world.Storage, RunId.Compute("a.jsonl", etag));
        var forgotten = ofPredictions ? blobs.Predictions : blobs.Statistics;
        await forgotten.CommitBlockListAsync([]);
        await forgotten.DeleteAsync();
        await world.DeliverAsync(messages[^1]);
        Assert.Null(await world.PredictionsAsync("a.jsonl"));

        await SweepUntilEndedAsync(world, "a.jsonl", etag);

        Assert.Equal(await world.PredictionsAsync("clean.jsonl"), await world.PredictionsAsync("a.jsonl"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{ torn")]
    public async Task A_lost_or_damaged_plan_is_made_again(string? content)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("clean.jsonl", 7);
        await world.ProcessAsync("clean.jsonl");
        string etag = await LosePlanAsync(world, content);

        await SweepUntilEndedAsync(world, "a.jsonl", etag);

        Assert.Equal(await world.PredictionsAsync("clean.jsonl"), await world.PredictionsAsync("a.jsonl"));
    }

    [Fact]
    public async Task A_lost_plan_whose_input_is_gone_too_ends_as_failed()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await LosePlanAsync(world, null);
        await world.Storage.Container(StorageNames.Reviews).DeleteBlobAsync("a.jsonl");

        await SweepUntilEndedAsync(world, "a.jsonl", etag);

        Assert.Equal((RunState.Failed, "input_deleted"), await world.RunOfAsync("a.jsonl", etag) is var run ? (run.State, run.ErrorCode)
            : default);
    }

    [Theory]
    [InlineData(1011, true)]
    [InlineData(1012, false)]
    [InlineData(1024, false)]
    public async Task A_name_too_long_for_its_summary_ends_as_failed_with_the_reason(int length, bool isShortEnough)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string name = string.Join('/', Enumerable.Repeat(new string('a', 100), 11))[..(length - 6)] + ".jsonl";
        string etag = await world.DropRowsAsync(name, 2);

        await world.ProcessAsync(name);

        var run = await world.RunOfAsync(name, etag);
        Assert.Equal(isShortEnough ? (RunState.Done, null) : (RunState.Failed, "name_too_long"), (run.State, run.ErrorCode));
        if (!isShortEnough) Assert.Contains("1024 in all", run.ErrorMessage);
    }

    [Fact]
    public async Task A_damaged_run_document_is_shown_and_ends_as_failed_and_the_other_runs_go_on()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        string other = await world.DropRowsAsync("b.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        await world.SplitAsync("b.jsonl");
        await world.TakeBatchesAsync();
        var id = RunId.Compute("a.jsonl", etag);
        BlobClient document = world.Storage.Container(StorageNames.Runs).GetBlobClient($"{id}.json");
        BlobProperties properties = await document.GetPropertiesAsync();
        await document.UploadAsync(new BinaryData("{ torn"), new BlobUploadOptions { Metadata = properties.Metadata });

        var shown = (await world.Get<RunStore>().RecentAsync(5)).Single(progress => progress.Run.Id == id).Run;
        Assert.Equal("damaged_document", shown.ErrorCode);
        Assert.Contains("is damaged", shown.ErrorMessage);
        await SweepUntilEndedAsync(world, "b.jsonl", other);

        var run = await world.RunOfAsync("a.jsonl", etag);
        Assert.Equal((RunState.Failed, "damaged_document"), (run.State, run.ErrorCode));
        Assert.Contains("damaged_document", await world.SummaryAsync("a.jsonl"));
        Assert.Equal(7, OneRunTests.LinesOf(await world.PredictionsAsync("b.jsonl")).Length);
    }

    [Theory]
    [InlineData("folder.csv")]
    [InlineData("a/b")]
    public async Task A_folder_marker_of_a_data_lake_is_no_file(string name)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        BlobContentInfo marker = await world.Storage.Container(StorageNames.Reviews).GetBlobClient(name)
            .UploadAsync(new BinaryData(""),
                new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["hdi_isfolder"] = "true" } });
        world.Clock.Advance(TimeSpan.FromSeconds(2));

        await world.Get<RunSweep>().SweepAsync();
        await world.SplitAsync(name);

        Assert.Empty(await world.TakeFilesAsync());
        Assert.Null(await world.Get<RunStore>().TryReadAsync(RunId.Compute(name, ETags.Unquote(marker.ETag))));
    }

    [Fact]
    public async Task The_summary_says_which_dtype_answered_how_many_rows()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        await world.DropRowsAsync("a.jsonl", 8);
        await world.ProcessAsync("a.jsonl");
        Assert.Equal(8, System.Text.Json.JsonDocument.Parse((await world.SummaryAsync("a.jsonl"))!).RootElement.GetProperty("dtypes")
            .GetProperty("float32").GetInt32());
    }

    private static async Task<string> LosePlanAsync(PipelineWorld world, string? content)
    {
        string etag = await world.DropRowsAsync("a.jsonl", 7);
        await world.SplitAsync("a.jsonl");
        await world.DeliverAsync((await world.TakeBatchesAsync())[0]);
        var plan = new RunBlobs(world.Storage, RunId.Compute("a.jsonl", etag)).Plan;
        if (content is null) await plan.DeleteAsync();
        else await plan.UploadAsync(new BinaryData(content), overwrite: true);
        return etag;
    }

    private static async Task SweepUntilEndedAsync(PipelineWorld world, string name, string etag)
    {
        for (int sweep = 0; sweep < 12; sweep++)
        {
            world.Clock.Advance(Stall);
            await world.Get<RunSweep>().SweepAsync();
            foreach (var file in await world.TakeFilesAsync()) await world.Get<FileDelivery>().HandleAsync(file);
            foreach (var message in await world.TakeBatchesAsync()) await world.DeliverAsync(message);
            if ((await world.RunOfAsync(name, etag)).IsFinished) return;
        }
        Assert.Fail($"{name} has not ended.");
    }
}
