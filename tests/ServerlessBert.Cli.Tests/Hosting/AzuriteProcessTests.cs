using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Cli.Hosting;

namespace ServerlessBert.Cli.Tests.Hosting;

[Collection(nameof(AzuriteFixture))]
public sealed class AzuriteProcessTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task An_emulator_that_answers_is_taken_and_not_started_again() =>
        Assert.Null(await AzuriteProcess.EnsureAsync(azurite.Configuration));

    [Fact]
    public async Task What_was_started_ends_with_its_owner_and_keeps_its_data()
    {
        var mine = new AzuriteFixture();
        await mine.InitializeAsync();
        await new BlobContainerClient(mine.ConnectionString, "kept").CreateAsync();
        await mine.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => new BlobContainerClient(mine.ConnectionString, "kept", new BlobClientOptions { Retry = { MaxRetries = 0 } }).ExistsAsync());

        await mine.StartAsync();
        Assert.True((await new BlobContainerClient(mine.ConnectionString, "kept").ExistsAsync()).Value);
        await mine.DisposeAsync();
    }

    [Theory]
    [InlineData("UseDevelopmentStorage=true", "http://127.0.0.1:10000/", "http://127.0.0.1:10001/")]
    [InlineData("BlobEndpoint=http://127.0.0.1:5/a;QueueEndpoint=http://localhost:6/a;AccountName=a;AccountKey=AA==", "http://127.0.0.1:5/a", "http://localhost:6/a")]
    public void Development_storage_is_known_by_its_connection(string connection, string blob, string queue) =>
        Assert.Equal((new Uri(blob), new Uri(queue)), AzuriteProcess.EndpointsOf(connection));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=real;AccountKey=AA==;EndpointSuffix=core.windows.net")]
    [InlineData("BlobEndpoint=https://real.blob.core.windows.net;QueueEndpoint=https://real.queue.core.windows.net")]
    public async Task For_another_account_nothing_is_started(string? connection)
    {
        Assert.Null(AzuriteProcess.EndpointsOf(connection));
        Assert.Null(await AzuriteProcess.EnsureAsync(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("AzureWebJobsStorage", connection)]).Build()));
    }
}
