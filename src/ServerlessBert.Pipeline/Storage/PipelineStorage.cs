using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>Clients of one storage account's containers and queues.</summary>
public sealed class PipelineStorage
{
    /// <summary>Azurite's well-known account on this machine.</summary>
    public const string DevelopmentStorage = "UseDevelopmentStorage=true";

    /// <summary>Connects as the Functions host does: <c>AzureWebJobsStorage</c> is a connection string, or <c>AzureWebJobsStorage__accountName</c> (or __blobServiceUri and __queueServiceUri) with managed identity.</summary>
    public static PipelineStorage FromConfiguration(IConfiguration configuration) => throw new NotImplementedException();

    /// <summary>A container's client, by a name of <see cref="StorageNames"/>.</summary>
    public BlobContainerClient Container(string name) => throw new NotImplementedException();

    /// <summary>A queue's client (Base64 messages, as the Functions host's default), by a name of <see cref="StorageNames"/>.</summary>
    public QueueClient Queue(string name) => throw new NotImplementedException();

    /// <summary>Creates the containers and queues that are missing.</summary>
    public Task CreateAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
