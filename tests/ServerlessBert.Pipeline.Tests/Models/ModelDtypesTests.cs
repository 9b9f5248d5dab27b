using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Models;

[Collection(AzuriteCollection.Name)]
public sealed class ModelDtypesTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Hosts_whose_processors_measure_differently_compute_a_version_in_one_dtype()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        string digest = (await world.Get<ModelRegistry>().ReadManifestAsync(version)).Digest;
        using ModelCache first = world.NewCache(load: Measuring(InferenceDtype.BFloat16)),
            second = world.NewCache(load: Measuring(InferenceDtype.Float32));

        using (var lease = await first.AcquireAsync()) Assert.Equal("bfloat16", lease.Dtype);
        using (var lease = await second.AcquireAsync()) Assert.Equal("bfloat16", lease.Dtype);

        Assert.Empty(await world.Get<ModelRegistry>().VerifyAsync(version));
        Assert.Equal(digest, (await world.Get<ModelRegistry>().ReadManifestAsync(version)).Digest);
    }

    [Fact]
    public async Task Of_hosts_that_load_a_version_at_once_one_decides_for_all()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        ModelCache[] hosts =
            [.. Enumerable.Range(0, 6)
            .Select(host => world.NewCache(load: Measuring(host % 2 == 0 ? InferenceDtype.BFloat16 : InferenceDtype.Float32)))];

        string[] dtypes = await Task.WhenAll(hosts.Select(async host =>
        {
            using var lease = await host.AcquireAsync();
            return lease.Dtype;
        }));

        Assert.Single(dtypes.Distinct());
        foreach (var host in hosts) host.Dispose();
    }

    [Fact]
    public async Task A_host_whose_settings_name_a_dtype_takes_that_and_decides_for_no_other()
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        await world.PromoteAsync();
        using ModelCache named =
            world.NewCache(load: Measuring(InferenceDtype.Float32), options: new InferenceOptions { Dtype = InferenceDtype.Float32 });
        using ModelCache auto = world.NewCache(load: Measuring(InferenceDtype.BFloat16));

        using (var lease = await named.AcquireAsync()) Assert.Equal("float32", lease.Dtype);
        using (var lease = await auto.AcquireAsync()) Assert.Equal("bfloat16", lease.Dtype);
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("""{"dtype":"float7"}""")]
    [InlineData("""{"dtype":"auto"}""")]
    public async Task A_damaged_decision_is_made_anew(string damage)
    {
        await using var world = await PipelineWorld.StartAsync(azurite);
        string version = await world.PromoteAsync();
        await world.Storage.Container(StorageNames.Runs).GetBlobClient($"dtypes/{version}.json").UploadAsync(new BinaryData(damage));
        using ModelCache host = world.NewCache(load: Measuring(InferenceDtype.BFloat16));

        using (var lease = await host.AcquireAsync()) Assert.Equal("bfloat16", lease.Dtype);

        Assert.Equal(InferenceDtype.BFloat16, await world.Get<ModelDtypes>().ReadAsync(version));
    }

    private static LoadClassifier Measuring(InferenceDtype measured) =>
        (folder, decided) =>
            new CheckpointClassifier(ReviewClassifier.Load(folder, new InferenceOptions { Dtype = decided ?? measured, Threads = 1 }));
}
