using System.Net;
using System.Net.Sockets;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

[Collection(AzuriteCollection.Name)]
public sealed class AzuriteProcessTests(AzuriteFixture azurite) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("azurite-process-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task An_emulator_that_answers_is_taken_and_not_started_again() =>
        Assert.Null(await AzuriteProcess.EnsureAsync(SettingsOf(azurite.ConnectionString), folder));

    [Fact]
    public async Task What_was_started_ends_with_its_owner_and_keeps_its_data()
    {
        // The published account on ports of this test's own.
        string connection = azurite.ConnectionString[..azurite.ConnectionString.IndexOf("BlobEndpoint", StringComparison.Ordinal)]
            + $"BlobEndpoint=http://127.0.0.1:{FreePort()}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{FreePort()}/devstoreaccount1;";
        var container = new BlobContainerClient(connection, "kept", new BlobClientOptions { Retry = { MaxRetries = 0 } });

        AzuriteProcess? first = await AzuriteProcess.EnsureAsync(SettingsOf(connection), folder);
        Assert.Equal(folder, first?.Folder);
        await container.CreateAsync();
        await first!.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => container.ExistsAsync());

        await using AzuriteProcess? second = await AzuriteProcess.EnsureAsync(SettingsOf(connection), folder);
        Assert.NotNull(second);
        Assert.True((await container.ExistsAsync()).Value);
    }

    [Theory]
    [InlineData("UseDevelopmentStorage=true", "http://127.0.0.1:10000/", "http://127.0.0.1:10001/")]
    [InlineData("BlobEndpoint=http://127.0.0.1:5/a;QueueEndpoint=http://localhost:6/a;AccountName=a;AccountKey=AA==",
        "http://127.0.0.1:5/a", "http://localhost:6/a")]
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
        Assert.Null(await AzuriteProcess.EnsureAsync(SettingsOf(connection), folder));
    }

    private static IConfiguration SettingsOf(string? connection) =>
        new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("AzureWebJobsStorage", connection)]).Build();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
