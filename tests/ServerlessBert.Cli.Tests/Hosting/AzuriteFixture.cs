using System.Net;
using System.Net.Sockets;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Cli.Hosting;

namespace ServerlessBert.Cli.Tests.Hosting;

/// <summary>An Azurite of the tests' own, started as the host starts it, on free ports and in a folder of its own.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    // The emulator's published account, the same everywhere.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private readonly string folder = Directory.CreateTempSubdirectory("azurite-").FullName;
    private AzuriteProcess? process;

    public string ConnectionString { get; private set; } = "";

    public IConfiguration Configuration => new ConfigurationBuilder()
        .AddInMemoryCollection([KeyValuePair.Create("AzureWebJobsStorage", (string?)ConnectionString)]).Build();

    public Task InitializeAsync()
    {
        ConnectionString = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};"
            + $"BlobEndpoint=http://127.0.0.1:{FreePort()}/{Account};QueueEndpoint=http://127.0.0.1:{FreePort()}/{Account};";
        return StartAsync();
    }

    public async Task StartAsync()
    {
        process = await AzuriteProcess.EnsureAsync(Configuration, folder);
        Assert.NotNull(process);
    }

    public async Task StopAsync()
    {
        if (process is not null) await process.DisposeAsync();
        process = null;
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A new queue without an encoding, and its poison queue.</summary>
    public async Task<(QueueClient Queue, QueueClient Poison)> CreateQueuesAsync()
    {
        string name = $"q{Guid.NewGuid():N}";
        var (queue, poison) = (new QueueClient(ConnectionString, name), new QueueClient(ConnectionString, name + "-poison"));
        await queue.CreateAsync();
        await poison.CreateAsync();
        return (queue, poison);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

[CollectionDefinition(nameof(AzuriteFixture))]
public sealed class AzuriteCollection : ICollectionFixture<AzuriteFixture>;
