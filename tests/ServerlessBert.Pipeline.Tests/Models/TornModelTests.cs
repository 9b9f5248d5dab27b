using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

/// <summary>Whatever is wrong with a published version: the old one goes on serving, the status says why, the next good one is taken.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class TornModelTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Interval = new ModelCacheOptions().PollInterval + TimeSpan.FromSeconds(1);

    private static readonly string[] Files = ["model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json", "manifest.json"];
    private static readonly string[] Kinds = ["missing", "truncated", "flipped", "empty"];

    public static TheoryData<string, string> Damages
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string file in Files)
            {
                foreach (string damage in Kinds) all.Add(file, damage);
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_version_changes_nothing_and_the_next_good_one_is_taken(string file, string damage)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string good = await world.PromoteAsync(1);
        using (await cache.AcquireAsync()) { }
        string torn = await world.PromoteAsync(2);
        await DamageAsync(world.Storage.Container(StorageNames.Models).GetBlobClient($"{torn}/{file}"), damage);

        world.Clock.Advance(Interval);
        using (var lease = await cache.AcquireAsync()) Assert.Equal(good, lease.Version);
        await ModelCacheTests.EventuallyAsync(() => cache.Status.LastError is not null);
        Assert.Contains(torn, cache.Status.LastError);
        Assert.Equal(good, cache.Status.Version);
        await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync(torn));
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.DownloadFolder));

        // What is dropped meanwhile is answered by the old one, on this host and on one that starts now.
        await world.DropRowsAsync("meanwhile.jsonl", 5);
        await world.ProcessAsync("meanwhile.jsonl");
        string predictions = (await world.PredictionsAsync("meanwhile.jsonl"))!;
        Assert.Equal(5, predictions.Split($"\"model\":\"{good}\"").Length - 1);
        using (var fresh = world.NewCache())
        {
            using (var lease = await fresh.AcquireAsync()) Assert.Equal(good, lease.Version);
            Assert.Contains(torn, fresh.Status.LastError);
        }

        string next = await world.PromoteAsync(3);
        world.Clock.Advance(Interval);
        using (await cache.AcquireAsync()) { }
        await ModelCacheTests.EventuallyAsync(() => cache.Status is { LastError: null } status && status.Version == next);
    }

    [Fact]
    public async Task A_version_that_does_not_load_is_not_downloaded_again_until_it_changes()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string torn = await world.PromoteAsync(1);
        var weights = world.Storage.Container(StorageNames.Models).GetBlobClient($"{torn}/model.safetensors");
        BinaryData whole = (await weights.DownloadContentAsync()).Value.Content;
        await DamageAsync(weights, "flipped");
        await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync());
        await weights.UploadAsync(whole, overwrite: true);

        var again = await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync());

        Assert.Contains("damaged", again.Message);
        Assert.Equal(0, world.Loads);
    }

    [Fact]
    public async Task A_whole_version_whose_weights_are_no_checkpoint_is_refused_with_a_sentence()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string folder = Directory.CreateTempSubdirectory("no-checkpoint-").FullName;
        foreach (string file in new[] { "model.safetensors", "config.json", "vocab.txt" }) File.WriteAllText(Path.Combine(folder, file), "nonsense");
        var registry = world.Get<ModelRegistry>();
        await registry.PromoteAsync((await registry.PublishAsync(folder)).Version, "a mistake");
        Directory.Delete(folder, recursive: true);

        Assert.Contains("cannot be loaded", (await Assert.ThrowsAsync<ModelUnavailableException>(() => world.Get<ModelCache>().AcquireAsync())).Message);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"version":"../x","manifestSha256":"0","promoted":"2026-11-22T10:15:00Z","reason":"x"}""")]
    [InlineData("""{"version":"20261122T101500Z-3fa9c1","manifestSha256":"0","promoted":"2026-11-22T10:15:00Z","reason":"to nowhere"}""")]
    public async Task A_pointer_that_is_broken_or_leads_nowhere_changes_nothing_and_the_next_promotion_is_taken(string pointer)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string good = await world.PromoteAsync(1);
        using (await cache.AcquireAsync()) { }

        await world.Storage.Container(StorageNames.Models).GetBlobClient(ModelPointer.FileName).UploadAsync(new BinaryData(pointer), overwrite: true);
        world.Clock.Advance(Interval);
        using (var lease = await cache.AcquireAsync()) Assert.Equal(good, lease.Version);

        await ModelCacheTests.EventuallyAsync(() => cache.Status.LastError is not null);
        Assert.Equal(good, cache.Status.Version);
        await world.DropRowsAsync("meanwhile.jsonl", 5);
        await world.ProcessAsync("meanwhile.jsonl");
        Assert.Equal(5, (await world.PredictionsAsync("meanwhile.jsonl"))!.Split($"\"model\":\"{good}\"").Length - 1);

        string next = await world.PromoteAsync(2);
        world.Clock.Advance(Interval);
        using (await cache.AcquireAsync()) { }
        await ModelCacheTests.EventuallyAsync(() => cache.Status is { LastError: null } status && status.Version == next);
    }

    private static async Task DamageAsync(BlobClient blob, string damage)
    {
        byte[] bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        if (damage == "missing")
        {
            await blob.DeleteAsync();
            return;
        }
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(new BinaryData(damage switch { "flipped" => bytes, "truncated" => bytes[..^5], _ => [] }), overwrite: true);
    }
}
