using Azure;
using Azure.Identity;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.LocalHost;

/// <summary>What the storage clients throw when an account does not answer or refuses.</summary>
internal static class StorageErrors
{
    /// <summary>Whether a later attempt may succeed; the clients wrap what their own retries met in an <see cref="AggregateException"/>.</summary>
    public static bool IsTransient(Exception exception) =>
        exception is RequestFailedException or HttpRequestException or IOException or TaskCanceledException
        || (exception is AggregateException aggregate && aggregate.InnerExceptions.All(IsTransient));

    /// <summary>The error in a line.</summary>
    public static string Sentence(Exception exception) =>
        (exception is AggregateException { InnerException: { } inner } ? inner : exception).Message.Split('\n')[0].Trim();
}

/// <summary>
/// The pipeline's queues without a message encoding. A client that decodes Base64 itself fails a whole receive for one
/// message that is none, so that nobody learns which; the listener decodes by itself and moves such a message on.
/// </summary>
public static class UnencodedQueue
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
