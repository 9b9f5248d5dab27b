using Azure.Identity;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Hosting;

/// <summary>
/// The pipeline's queues without a message encoding. A client that decodes Base64 itself fails a whole receive for one
/// message that is none, so that nobody learns which; the listener decodes by itself and moves such a message on.
/// </summary>
internal static class UnencodedQueue
{
    /// <summary>The same queue of the same account.</summary>
    public static QueueClient Open(PipelineStorage storage, string name, IConfiguration configuration)
    {
        QueueClient queue = storage.Queue(name);
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None };
        return configuration["AzureWebJobsStorage"] is { Length: > 0 } connection
            ? new QueueClient(connection, queue.Name, options)
            : new QueueClient(queue.Uri, new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = configuration["AzureWebJobsStorage:clientId"] }), options);
    }
}
