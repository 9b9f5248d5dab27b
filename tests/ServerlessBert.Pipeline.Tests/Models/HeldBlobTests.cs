using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

/// <summary>What somebody else holds is said in a sentence, and nothing waits for it without end.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class HeldBlobTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_pointer_under_a_foreign_lease_is_not_moved_and_the_error_says_what_holds_it()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var registry = world.Get<ModelRegistry>();
        string first = await world.PromoteAsync(1), live = await world.PromoteAsync(2), next = await world.PublishAsync(3);
        await world.Storage.Container(StorageNames.Models).GetBlobClient(ModelPointer.FileName).GetBlobLeaseClient()
            .AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        Func<Task>[] moves =
        [
            () => registry.PromoteAsync(next, "a test"),
            () => registry.RollbackAsync(),
            () => registry.SetShadowAsync(next, 0.5),
            () => world.Get<ModelPruning>().PruneAsync(new ModelPruningOptions { Keep = 0, Grace = TimeSpan.Zero }),
        ];
        foreach (var move in moves)
        {
            string message = (await Assert.ThrowsAsync<UnwritableBlobException>(() => move().WaitAsync(TimeSpan.FromSeconds(20)))).Message;
            Assert.Contains("models/current.json cannot be written: somebody else holds a lease on it", message);
        }
        Assert.Equal(live, (await registry.CurrentAsync())!.Version);
        Assert.Equal(first, (await registry.CurrentAsync())!.Previous);
    }

    [Fact]
    public async Task A_held_file_of_a_pruned_version_keeps_no_other_version_and_is_named_as_the_reason()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var options = new ModelPruningOptions { Keep = 0, Grace = TimeSpan.FromMinutes(1) };
        string held = await world.PublishAsync(1), free = await world.PublishAsync(2);
        await world.PromoteAsync(3);
        var weights = world.Storage.Container(StorageNames.Models).GetBlobClient($"{held}/model.safetensors");
        var lease = weights.GetBlobLeaseClient();
        await lease.AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        await world.Get<ModelPruning>().PruneAsync(options);
        world.Clock.Advance(TimeSpan.FromMinutes(2));

        var decisions = await world.Get<ModelPruning>().PruneAsync(options);

        Assert.Contains($"{held}/model.safetensors", Assert.Single(decisions, decision => decision.Version == held).Reason);
        Assert.Contains("lease", decisions.Single(decision => decision.Version == held).Reason);
        Assert.DoesNotContain(await world.Get<ModelRegistry>().ListAsync(), model => model.Version == free);

        await lease.BreakAsync(TimeSpan.Zero);
        await world.Get<ModelPruning>().PruneAsync(options);
        Assert.Single(await world.Get<ModelRegistry>().ListAsync());
    }

    [Fact]
    public async Task Publishing_over_a_held_blob_ends_with_the_reason()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string folder = Directory.CreateTempSubdirectory("held-").FullName;
        foreach (string file in new[] { "model.safetensors", "config.json", "vocab.txt" }) File.WriteAllText(
            Path.Combine(folder, file), "x");
        var created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var registry = world.Get<ModelRegistry>();
        var published = await registry.PublishAsync(folder, created);
        await world.Storage.Container(StorageNames.Models).GetBlobClient($"{published.Version}/config.json").GetBlobLeaseClient()
            .AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);

        // The same bytes again are no write at all.
        Assert.Equal(published.Digest, (await registry.PublishAsync(folder, created)).Digest);
        Directory.Delete(folder, recursive: true);
    }
}
