using System.Text.Json;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Batches;

[Collection(AzuriteCollection.Name)]
public sealed class ShadowTests(AzuriteFixture azurite)
{
    private const string File = "reviews.jsonl";

    [Fact]
    public async Task A_shadow_is_compared_in_the_summary_and_never_seen_in_the_predictions()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string live = await world.PromoteAsync(1), shadow = await world.PublishAsync(2);
        await world.DropRowsAsync("alone.jsonl", 14);
        await world.ProcessAsync("alone.jsonl");
        await world.Get<ModelRegistry>().SetShadowAsync(shadow, 1);

        string etag = await world.DropRowsAsync(File, 14);
        await world.ProcessAsync(File);

        Assert.Equal(await world.PredictionsAsync("alone.jsonl"), await world.PredictionsAsync(File));
        JsonElement[] lines = Lines(await ShadowBlob(world, etag).DownloadContentAsync());
        Assert.Equal(Enumerable.Range(0, 14), lines.Select(line => line.GetProperty("row").GetInt32()));
        Assert.All(lines, line => Assert.Equal(shadow, line.GetProperty("model").GetString()));

        JsonElement said = await SummaryOfAsync(world);
        int[] ofLive = Stars(Lines((await world.PredictionsAsync(File))!)), ofShadow = Stars(lines);
        Assert.Equal(shadow, said.GetProperty("model").GetString());
        Assert.Equal((5, 14), (said.GetProperty("batches").GetInt32(), said.GetProperty("rows").GetInt32()));
        Assert.Equal(Math.Round(ofLive.Zip(ofShadow).Count(pair => pair.First == pair.Second) / 14m, 4),
            said.GetProperty("agreement").GetDecimal());
        Assert.Equal(ofShadow.Count(stars => stars == ofShadow[0]), said.GetProperty("stars").GetProperty($"{ofShadow[0]}").GetInt32());
        Assert.Equal(14, said.GetProperty("labelled").GetInt32());
        Assert.Equal(live, (await world.RunOfAsync(File, etag)).Model);
        // Who runs in shadow serves nobody.
        Assert.Equal(28, world.Get<ModelCache>().Status.RowsServed);
    }

    [Fact]
    public void A_share_of_the_batches_is_taken_by_run_and_index_alone()
    {
        var shadow = new ModelShadow("20261122T101500Z-3fa9c1", 0.1, DateTimeOffset.UnixEpoch);
        string run = RunId.Compute(File, "0x1");

        int taken = Enumerable.Range(0, 10_000).Count(batch => shadow.Takes(run, batch));

        Assert.InRange(taken, 900, 1100);
        Assert.Equal(taken, Enumerable.Range(0, 10_000).Count(batch => shadow.Takes(run, batch)));
        Assert.All(Enumerable.Range(0, 10_000).Where(batch => shadow.Takes(run, batch)), batch =>
            Assert.True((shadow with { Share = 0.2 }).Takes(run, batch)));
        Assert.DoesNotContain(Enumerable.Range(0, 100), batch => !(shadow with { Share = 1 }).Takes(run, batch));
    }

    [Fact]
    public async Task A_message_that_is_delivered_again_gives_the_same_bytes_and_is_counted_once()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync(1);
        await world.Get<ModelRegistry>().SetShadowAsync(await world.PublishAsync(2), 0.5);
        await world.DropRowsAsync("once.jsonl", 30);
        await world.ProcessAsync("once.jsonl");

        string etag = await world.DropRowsAsync(File, 30);
        await world.SplitAsync(File);
        var messages = await world.TakeBatchesAsync();
        string[] taken = [.. messages.Where(message => message.Shadow is not null).Select(message => message.Shadow!)];
        Assert.InRange(taken.Length, 1, messages.Count - 1);
        foreach (var message in messages[..^1]) await world.ClassifyAsync(message);
        foreach (var message in messages) await world.ClassifyAsync(message, dequeueCount: 2);

        Assert.Equal(await world.PredictionsAsync("once.jsonl"), await world.PredictionsAsync(File));
        Assert.Equal(taken.Length, (await SummaryOfAsync(world)).GetProperty("batches").GetInt32());
        Assert.Equal(taken.Length * PipelineWorld.BatchRows, Lines(await ShadowBlob(world, etag).DownloadContentAsync()).Length);
    }

    [Fact]
    public async Task A_shadow_that_cannot_be_loaded_is_told_and_costs_the_file_nothing()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync(1);
        string torn = await world.PublishAsync(2);
        await world.Get<ModelRegistry>().SetShadowAsync(torn, 1);
        await world.Storage.Container(StorageNames.Models).GetBlobClient($"{torn}/model.safetensors").DeleteAsync();

        await world.DropRowsAsync(File, 6);
        await world.ProcessAsync(File);

        Assert.Equal(6, Lines((await world.PredictionsAsync(File))!).Length);
        JsonElement said = await SummaryOfAsync(world);
        Assert.Equal(2, said.GetProperty("failures").GetProperty("unavailable").GetInt32());
        Assert.Equal(0, said.GetProperty("rows").GetInt32());
    }

    [Fact]
    public async Task A_shadow_that_is_slow_costs_the_batch_its_own_time_and_no_more()
    {
        await using var world = await PipelineWorld.StartAsync(azurite,
            new KeyValuePair<string, string?>("ServerlessBert:Runs:ShadowPatience", "00:00:00.3"));
        await world.PromoteAsync(1);
        using (await world.Get<ModelCache>().AcquireAsync()) { }
        await world.Get<ModelRegistry>().SetShadowAsync(await world.PublishAsync(2), 1);
        var gate = new TaskCompletionSource();
        world.LoadGate = gate.Task;

        await world.DropRowsAsync(File, 3);
        await world.ProcessAsync(File);
        gate.SetResult();

        Assert.Equal(1, (await SummaryOfAsync(world)).GetProperty("failures").GetProperty("timeout").GetInt32());
        Assert.Equal(3, Lines((await world.PredictionsAsync(File))!).Length);
    }

    [Fact]
    public async Task While_two_models_are_in_memory_nothing_runs_in_shadow_and_a_swap_takes_its_place()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string live = await world.PromoteAsync(1), shadow = await world.PublishAsync(2), pinned = await world.PublishAsync(3);
        using (await cache.AcquireAsync()) { }

        using (await cache.AcquireAsync(pinned)) Assert.Null(await cache.TryAcquireShadowAsync(shadow));

        var lease = (await cache.TryAcquireShadowAsync(shadow))!;
        Assert.Equal(2, cache.Status.InMemory.Count);
        var waiting = cache.AcquireAsync(pinned);
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        lease.Dispose();
        using (var taken = await waiting) Assert.Equal(pinned, taken.Version);
        Assert.DoesNotContain(shadow, cache.Status.InMemory);
        Assert.Equal(live, cache.Status.Version);
    }

    [Fact]
    public async Task A_shadow_is_a_whole_version_beside_a_live_one_and_ends_when_it_is_promoted()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var registry = world.Get<ModelRegistry>();
        string candidate = await world.PublishAsync(1);
        Assert.Contains("No model is live",
            (await Assert.ThrowsAsync<ModelUnavailableException>(() => registry.SetShadowAsync(candidate, 0.1))).Message);
        string live = await world.PromoteAsync(2);
        Assert.Contains("is the live one", (await Assert.ThrowsAsync<ModelUnavailableException>(() => registry.SetShadowAsync(live, 0.1)))
            .Message);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => registry.SetShadowAsync(candidate, 0));

        await registry.SetShadowAsync(candidate, 0.1);
        Assert.Equal(ModelRole.Shadow, (await registry.ShowAsync(candidate)).Role);
        await registry.ClearShadowAsync();
        Assert.Null((await registry.CurrentAsync())!.Shadow);

        await registry.SetShadowAsync(candidate, 0.1);
        await registry.PromoteAsync(candidate, "it agreed");
        Assert.Null((await registry.CurrentAsync())!.Shadow);
    }

    private static BlobClient ShadowBlob(PipelineWorld world, string etag) =>
        world.Storage.Container(StorageNames.Runs).GetBlobClient($"{RunId.Compute(File, etag)}/shadow.jsonl");

    private static async Task<JsonElement> SummaryOfAsync(PipelineWorld world) =>
        JsonDocument.Parse((await world.SummaryAsync(File))!).RootElement.GetProperty("shadow");

    private static JsonElement[] Lines(Azure.Response<Azure.Storage.Blobs.Models.BlobDownloadResult> content) =>
        Lines(content.Value.Content.ToString());

    private static JsonElement[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static int[] Stars(JsonElement[] lines) => [.. lines.Select(line => line.GetProperty("stars").GetInt32())];
}
