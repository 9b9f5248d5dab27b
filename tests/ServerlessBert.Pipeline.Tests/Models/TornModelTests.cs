using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

/// <summary>
/// Whatever is wrong with a published version: the old one goes on serving, the status says why, the next good one is taken.
/// </summary>
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
    public async Task A_damaged_version_is_not_downloaded_again_until_its_files_change()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string torn = await world.PromoteAsync(1);
        var weights = world.Storage.Container(StorageNames.Models).GetBlobClient($"{torn}/model.safetensors");
        BinaryData whole = (await weights.DownloadContentAsync()).Value.Content;
        await DamageAsync(weights, "flipped");
        var downloads = new CountedDownloads(torn);
        using var cache = world.NewCache(downloads.Through(azurite, world.Storage.Prefix));

        string first = (await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync())).Message;
        int once = downloads.Count;
        string again = (await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync())).Message;

        Assert.Contains("damaged", first);
        Assert.Equal(first, again);
        Assert.True(once > 0);
        Assert.Equal(once, downloads.Count);

        await weights.UploadAsync(whole, overwrite: true);
        using var lease = await cache.AcquireAsync();
        Assert.Equal(torn, lease.Version);
    }

    [Fact]
    public async Task What_is_remembered_of_a_damaged_version_expires()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string torn = await world.PromoteAsync(1);
        await DamageAsync(world.Storage.Container(StorageNames.Models).GetBlobClient($"{torn}/config.json"), "flipped");
        var downloads = new CountedDownloads(torn);
        using var cache = world.NewCache(downloads.Through(azurite, world.Storage.Prefix));
        await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync());
        int once = downloads.Count;

        world.Clock.Advance(new ModelCacheOptions().RetryDamagedAfter + TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync());

        Assert.True(downloads.Count > once);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("vocab.txt")]
    [InlineData("manifest.json")]
    public async Task A_file_that_was_missing_and_is_restored_makes_its_version_load_at_once(string file)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync(1);
        var blob = world.Storage.Container(StorageNames.Models).GetBlobClient($"{version}/{file}");
        BinaryData whole = (await blob.DownloadContentAsync()).Value.Content;
        await blob.DeleteAsync();
        await Assert.ThrowsAsync<ModelUnavailableException>(() => world.Get<ModelCache>().AcquireAsync());

        await blob.UploadAsync(whole);

        using var lease = await world.Get<ModelCache>().AcquireAsync();
        Assert.Equal(version, lease.Version);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"version":"20261122T101500Z-3fa9c1","created":"2026-11-22T10:15:00Z","files":[null]}""")]
    public async Task A_damaged_manifest_that_is_repaired_makes_its_version_load_at_once(string damage)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync(1);
        var manifest = world.Storage.Container(StorageNames.Models).GetBlobClient($"{version}/manifest.json");
        BinaryData whole = (await manifest.DownloadContentAsync()).Value.Content;
        await manifest.UploadAsync(
            new BinaryData(damage.Replace("20261122T101500Z-3fa9c1", version, StringComparison.Ordinal)), overwrite: true);
        await Assert.ThrowsAsync<ModelUnavailableException>(() => world.Get<ModelCache>().AcquireAsync());

        await manifest.UploadAsync(whole, overwrite: true);

        using var lease = await world.Get<ModelCache>().AcquireAsync();
        Assert.Equal(version, lease.Version);
    }

    public static TheoryData<Exception> HostFailures => new()
    {
        new OutOfMemoryException("no memory"),
        new IOException("no disk"),
        new NotSupportedException("int8 needs oneDNN's operations"),
    };

    [Theory]
    [MemberData(nameof(HostFailures))]
    public async Task A_load_that_failed_on_this_host_is_tried_again(Exception failure)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync(1);
        world.LoadFailure = failure;
        Assert.Contains(
            failure.Message, (await Assert.ThrowsAsync<HostUnableException>(() => world.Get<ModelCache>().AcquireAsync(version))).Message);

        world.LoadFailure = null;

        using var lease = await world.Get<ModelCache>().AcquireAsync(version);
        Assert.Equal(version, lease.Version);
    }

    [Fact]
    public async Task A_whole_version_whose_weights_are_no_checkpoint_is_refused_with_a_sentence()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string folder = Directory.CreateTempSubdirectory("no-checkpoint-").FullName;
        foreach (string file in new[] { "model.safetensors", "config.json", "vocab.txt" }) File.WriteAllText(
            Path.Combine(folder, file), "nonsense");
        var registry = world.Get<ModelRegistry>();
        await registry.PromoteAsync((await registry.PublishAsync(folder)).Version, "a mistake");
        Directory.Delete(folder, recursive: true);

        Assert.Contains(
            "cannot be loaded",
            (await Assert.ThrowsAsync<ModelUnavailableException>(() => world.Get<ModelCache>().AcquireAsync())).Message);
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

        await world.Storage.Container(StorageNames.Models).GetBlobClient(ModelPointer.FileName)
            .UploadAsync(new BinaryData(pointer), overwrite: true);
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

/// <summary>Counts downloads of a version's files, its manifest left out.</summary>
internal sealed class CountedDownloads(string version) : HttpPipelinePolicy
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The same storage, counted.</summary>
    public PipelineStorage Through(AzuriteFixture azurite, string prefix)
    {
        var options = new BlobClientOptions();
        options.AddPolicy(this, HttpPipelinePosition.PerCall);
        return PipelineStorage.FromConnectionString(azurite.ConnectionString, prefix, options);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Take(message);
        ProcessNext(message, pipeline);
    }

    public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Take(message);
        return ProcessNextAsync(message, pipeline);
    }

    private void Take(HttpMessage message)
    {
        string path = message.Request.Uri.Path;
        if (message.Request.Method == RequestMethod.Get && path.Contains($"{version}/", StringComparison.Ordinal)
            && !path.EndsWith("manifest.json", StringComparison.Ordinal))
            Interlocked.Increment(ref _count);
    }
}
