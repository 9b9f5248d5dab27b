using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Tests.Models;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Operations;

[Collection(AzuriteCollection.Name)]
public sealed class HostHeartbeatTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_host_says_that_it_lives_which_model_it_has_and_what_it_predicted_last_and_is_gone_when_it_ends()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        using (var lease = await world.Get<ModelCache>().AcquireAsync()) await lease.ClassifyAsync(["good food"]);
        using HostHeartbeatService service = NewService(world);
        await service.StartAsync(default);

        HostHeartbeat host = await EventuallyOneAsync(world);
        Assert.Equal((version, 1L, null), (host.Model.Version, host.Model.RowsServed, host.Model.LastError));
        Assert.NotNull(host.Model.LastServed);
        Assert.True(host.MemoryBytes > 10_000_000);
        Assert.Equal(host.Host, Assert.Single((await world.Get<PipelineStatus>().ReadAsync()).Hosts).Host);

        await service.StopAsync(default);
        Assert.Empty(await world.Get<HostHeartbeats>().ReadAsync());
    }

    [Fact]
    public async Task A_host_that_was_killed_ages_out_and_the_next_one_to_start_clears_it_away()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var heartbeats = world.Get<HostHeartbeats>();
        await heartbeats.WriteAsync(
            new HostHeartbeat
            {
                Host = "killed",
                Started = world.Clock.GetUtcNow(),
                At = world.Clock.GetUtcNow(),
                Model = world.Get<ModelCache>().Status,
                MemoryBytes = 1
            }, default);
        Assert.Single(await heartbeats.ReadAsync());

        world.Clock.Advance(HostHeartbeats.Lifetime + TimeSpan.FromSeconds(1));
        Assert.Empty(await heartbeats.ReadAsync());
        await heartbeats.RemoveGoneAsync(default);

        Assert.False(await world.Storage.Container(StorageNames.Runs).GetBlobClient("hosts/killed.json").ExistsAsync());
    }

    [Fact]
    public async Task A_rollback_reaches_an_idle_host_that_has_a_model_and_loads_none_into_one_that_has_not()
    {
        await using var world =
            await PipelineWorld.StartAsync(azurite, new KeyValuePair<string, string?>("ServerlessBert:Models:PollInterval", "00:00:00.2"));
        string first = await world.PromoteAsync(1);
        string second = await world.PromoteAsync(2);
        var cache = world.Get<ModelCache>();
        using HostHeartbeatService service = NewService(world);
        await service.StartAsync(default);
        await Task.Delay(600);
        Assert.Empty(cache.Status.InMemory);

        using (await cache.AcquireAsync()) { }
        Assert.Equal(second, cache.Status.Version);
        await world.Get<ModelRegistry>().RollbackAsync();

        await ModelCacheTests.EventuallyAsync(() => cache.Status.Version == first);
        await service.StopAsync(default);
    }

    [Fact]
    public async Task A_hosts_heart_beats_again_after_the_storage_was_sick()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        using var network = new SickHttp { Sickness = Sickness.Html };
        var client = new BlobClientOptions
        {
            Transport = new HttpClientTransport(new HttpClient(network, disposeHandler: false)),
            Retry = { MaxRetries = 0 }
        };
        var heartbeats =
            new HostHeartbeats(PipelineStorage.FromConnectionString(azurite.ConnectionString, world.Storage.Prefix, client), world.Clock);
        ModelCacheOptions options = world.Get<ModelCacheOptions>() with { PollInterval = TimeSpan.FromMilliseconds(100) };
        using var service =
            new HostHeartbeatService(
            heartbeats, world.Get<ModelCache>(), world.Get<HostReadiness>(), options, world.Clock, NullLogger<HostHeartbeatService>.Instance);
        await service.StartAsync(default);
        await ModelCacheTests.EventuallyAsync(() => network.Answered >= 2);
        Assert.Empty(await world.Get<HostHeartbeats>().ReadAsync());

        network.Sickness = Sickness.None;
        world.Clock.Advance(HostHeartbeats.Interval + TimeSpan.FromSeconds(1));

        await EventuallyOneAsync(world);
        await service.StopAsync(default);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"host\":")]
    [InlineData("<html></html>")]
    public async Task A_damaged_heartbeat_is_shown_as_that_and_hides_no_other(string document)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        var heartbeats = world.Get<HostHeartbeats>();
        await heartbeats.WriteAsync(
            new HostHeartbeat
            {
                Host = "whole",
                Started = world.Clock.GetUtcNow(),
                At = world.Clock.GetUtcNow(),
                Model = world.Get<ModelCache>().Status,
                MemoryBytes = 1
            }, default);
        await world.Storage.Container(StorageNames.Runs).GetBlobClient("hosts/damaged.json").UploadAsync(new BinaryData(document));

        IReadOnlyList<HostHeartbeat> hosts = (await world.Get<PipelineStatus>().ReadAsync()).Hosts;

        Assert.Equal(["damaged", "whole"], hosts.Select(host => host.Host));
        Assert.Contains("hosts/damaged.json cannot be read", hosts[0].Damage);
        Assert.Null(hosts[1].Damage);
    }

    private static HostHeartbeatService NewService(PipelineWorld world) =>
        new(world.Get<HostHeartbeats>(), world.Get<ModelCache>(), world.Get<HostReadiness>(), world.Get<ModelCacheOptions>(), world.Clock, NullLogger<HostHeartbeatService>.Instance);

    private static async Task<HostHeartbeat> EventuallyOneAsync(PipelineWorld world)
    {
        for (int look = 0; look < 200; look++)
        {
            if (await world.Get<HostHeartbeats>().ReadAsync() is [var host]) return host;
            await Task.Delay(25);
        }
        throw new TimeoutException("No host said that it lives.");
    }
}
