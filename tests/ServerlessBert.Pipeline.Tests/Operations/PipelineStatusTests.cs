using System.Text.Json;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Operations;

[Collection(AzuriteCollection.Name)]
public sealed class PipelineStatusTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task The_status_tells_queues_live_model_host_and_runs()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string model = await world.PromoteAsync();
        await world.DropRowsAsync("done.jsonl", 2);
        await world.ProcessAsync("done.jsonl");
        await world.DropRowsAsync("running.jsonl", 7);
        await world.SplitAsync("running.jsonl");

        var state = await world.Get<PipelineStatus>().ReadAsync();

        Assert.Equal("devstoreaccount1", state.Account);
        Assert.Equal(3, state.Queues.Single(queue => queue.Name == StorageNames.ReviewBatches).Messages);
        Assert.Contains(state.Queues, queue => queue is { Name: "review-batches-poison", Messages: 0 });
        Assert.Equal((model, null), (state.Live?.Version, state.LiveError));
        Assert.Equal((model, 2L), (state.Host.InMemory.Single(), state.Host.RowsServed));
        Assert.Equal([("running.jsonl", RunState.Classifying, 0), ("done.jsonl", RunState.Done, 1)],
            state.Runs.Select(progress => (progress.Run.Blob.Value, progress.Run.State, progress.Staged)));
        Assert.Contains("\"state\":\"classifying\"", JsonSerializer.Serialize(state, PipelineJson.Options));
    }

    [Fact]
    public async Task On_an_account_without_queues_and_with_a_broken_pointer_the_status_still_answers()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.Storage.Queue(StorageNames.ReviewFiles).DeleteAsync();
        await world.Storage.Container(StorageNames.Models).GetBlobClient(ModelPointer.FileName).UploadAsync(new BinaryData("x"));

        var state = await world.Get<PipelineStatus>().ReadAsync();

        Assert.Null(state.Queues.Single(queue => queue.Name == StorageNames.ReviewFiles).Messages);
        Assert.Contains("cannot be read", state.LiveError);
        Assert.Empty(state.Runs);
    }
}
