using ServerlessBert.Pipeline.Models;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

[Collection(AzuriteCollection.Name)]
public sealed class ModelCacheTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Interval = new ModelCacheOptions().PollInterval + TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Nothing_is_loaded_before_it_is_asked_for_and_ten_callers_at_once_load_once()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        var cache = world.Get<ModelCache>();
        Assert.Equal(0, world.Loads);

        var leases = await Task.WhenAll(Enumerable.Range(0, 10).Select(caller => cache.AcquireAsync(caller % 2 == 0 ? null : version)));

        Assert.Equal(1, world.Loads);
        Assert.All(leases, lease => Assert.Equal(version, lease.Version));
        foreach (var lease in leases) lease.Dispose();
        Assert.Equal(0, world.Freed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.DownloadFolder));
    }

    [Fact]
    public async Task A_lease_classifies_in_order_and_the_status_counts_the_rows()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        var cache = world.Get<ModelCache>();
        using var lease = await cache.AcquireAsync();

        var together = await lease.ClassifyAsync(["great food", "awful service", "okay"]);
        var alone = await lease.ClassifyAsync(["awful service"]);

        Assert.Equal(3, together.Count);
        Assert.Equal(alone[0].Probabilities.Select(probability => MathF.Round(probability, 4)),
            together[1].Probabilities.Select(probability => MathF.Round(probability, 4)));
        Assert.Empty(await lease.ClassifyAsync([]));
        var status = cache.Status;
        Assert.Equal((version, 4L, null), (status.Version, status.RowsServed, status.LastError));
        Assert.NotNull(status.Digest);
    }

    [Fact]
    public async Task Without_a_live_model_the_error_says_what_to_do_and_the_first_promotion_is_seen_at_once()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        Assert.Contains("promote", (await Assert.ThrowsAsync<ModelUnavailableException>(() => cache.AcquireAsync())).Message);

        string version = await world.PromoteAsync();

        using var lease = await cache.AcquireAsync();
        Assert.Equal(version, lease.Version);
    }

    [Fact]
    public async Task The_old_model_serves_while_the_new_one_loads_and_is_freed_when_its_last_lease_ends()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string old = await world.PromoteAsync(1);
        var inFlight = await cache.AcquireAsync();

        var gate = new TaskCompletionSource();
        world.LoadGate = gate.Task;
        string next = await world.PromoteAsync(2);
        world.Clock.Advance(Interval);
        for (int batch = 0; batch < 3; batch++)
        {
            using var lease = await cache.AcquireAsync();
            Assert.Equal(old, lease.Version);
            Assert.Single(await lease.ClassifyAsync(["good"]));
        }
        gate.SetResult();
        await EventuallyAsync(() => cache.Status.Version == next);

        using (var lease = await cache.AcquireAsync()) Assert.Equal(next, lease.Version);
        Assert.Equal(0, world.Freed);
        Assert.Single(await inFlight.ClassifyAsync(["good"]));
        inFlight.Dispose();
        inFlight.Dispose();
        Assert.Equal(1, world.Freed);
        Assert.Equal([next], cache.Status.InMemory);
    }

    [Fact]
    public async Task The_pointer_is_looked_at_once_an_interval()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string old = await world.PromoteAsync(1);
        using (await cache.AcquireAsync()) { }
        string next = await world.PromoteAsync(2);

        for (int call = 0; call < 20; call++)
        {
            using var lease = await cache.AcquireAsync();
            Assert.Equal(old, lease.Version);
        }
        Assert.Equal(1, world.Loads);

        world.Clock.Advance(Interval);
        using (await cache.AcquireAsync()) { }
        await EventuallyAsync(() => cache.Status.Version == next);
    }

    [Fact]
    public async Task A_pinned_version_is_answered_by_itself_after_the_pointer_moved()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string old = await world.PromoteAsync(1);
        string next = await world.PromoteAsync(2);

        using var live = await cache.AcquireAsync();
        using var pinned = await cache.AcquireAsync(old);

        Assert.Equal((next, old), (live.Version, pinned.Version));
        Assert.Equal(2, cache.Status.InMemory.Count);
    }

    [Fact]
    public async Task A_third_version_waits_until_one_of_two_is_let_go()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        string first = await world.PublishAsync(1), second = await world.PublishAsync(2);
        await world.PromoteAsync(3);
        using var live = await cache.AcquireAsync();
        var held = await cache.AcquireAsync(first);

        var waiting = cache.AcquireAsync(second);
        await Task.Delay(200);
        Assert.False(waiting.IsCompleted);
        held.Dispose();

        using var lease = await waiting;
        Assert.Equal(second, lease.Version);
        Assert.Equal(2, cache.Status.InMemory.Count);
    }

    [Fact]
    public async Task A_model_that_is_not_live_lingers_for_the_next_batch_of_its_run()
    {
        await using var world =
            await PipelineWorld.StartAsync(azurite, new KeyValuePair<string, string?>("ServerlessBert:Models:Linger", "00:00:20"));
        string pinned = await world.PublishAsync(1);
        var cache = world.Get<ModelCache>();

        for (int batch = 0; batch < 3; batch++)
        {
            using var lease = await cache.AcquireAsync(pinned);
        }

        Assert.Equal((1, 0), (world.Loads, world.Freed));
    }

    [Fact]
    public async Task Twenty_swaps_leave_as_many_tensors_as_one()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var cache = world.Get<ModelCache>();
        var registry = world.Get<ModelRegistry>();
        string[] versions = [await world.PublishAsync(1), await world.PublishAsync(2)];
        var counts = new List<long>();
        for (int swap = 0; swap < 20; swap++)
        {
            string next = versions[swap % 2];
            await registry.PromoteAsync(next, "there and back");
            world.Clock.Advance(Interval);
            using (var lease = await cache.AcquireAsync()) await lease.ClassifyAsync(["good food", "bad service"]);
            await EventuallyAsync(() => cache.Status.Version == next && cache.Status.InMemory.Count == 1);
            // Views that nobody disposed end with their finalizers.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            counts.Add(TorchSharp.torch.Tensor.TotalCount);
        }

        Assert.Equal((20, 19), (world.Loads, world.Freed));
        Assert.Equal(counts[1], counts[^1]);
    }

    internal static async Task EventuallyAsync(Func<bool> condition)
    {
        for (int look = 0; look < 400 && !condition(); look++) await Task.Delay(25);
        Assert.True(condition());
    }
}
