using System.ComponentModel.DataAnnotations;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Pipeline.Settings;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>Clients of one storage account's containers and queues.</summary>
public sealed class PipelineStorage
{
    /// <summary>Azurite's well-known account on this machine.</summary>
    public const string DevelopmentStorage = "UseDevelopmentStorage=true";

    /// <summary>The configuration section that says which account, the Functions host's own.</summary>
    public const string ConnectionSection = "AzureWebJobsStorage";

    /// <summary>
    /// The configuration key of a prefix for every container and queue, so that environments can share an account;
    /// empty by default.
    /// </summary>
    public const string PrefixKey = $"{StorageOptions.Section}:{nameof(StorageOptions.Prefix)}";

    private readonly BlobServiceClient _blobs;
    private readonly QueueServiceClient _queues, _rawQueues;

    private PipelineStorage(BlobServiceClient blobs, Func<QueueMessageEncoding, QueueServiceClient> queues, string prefix)
    {
        _blobs = blobs;
        // The Functions host's default encoding of a message; both sides must agree.
        _queues = queues(QueueMessageEncoding.Base64);
        _rawQueues = queues(QueueMessageEncoding.None);
        Prefix = prefix;
    }

    /// <summary>The account's name.</summary>
    public string AccountName => _blobs.AccountName;

    /// <summary>What stands before every container's and queue's name; mostly empty.</summary>
    public string Prefix { get; }

    /// <summary>
    /// Connects as the Functions host does: <c>AzureWebJobsStorage</c> is a connection string, or
    /// <c>AzureWebJobsStorage__accountName</c> (or __blobServiceUri and __queueServiceUri) with managed identity.
    /// </summary>
    /// <exception cref="SettingsException">Neither is configured, or what is there cannot be read.</exception>
    public static PipelineStorage FromConfiguration(IConfiguration configuration)
    {
        string prefix = SettingsSection.Read<StorageOptions>(configuration, StorageOptions.Section).Prefix;
        if (configuration[ConnectionSection] is { Length: > 0 } connection) return FromConnectionString(connection, prefix);

        var section = configuration.GetSection(ConnectionSection);
        string? account = section["accountName"];
        var blobs = ServiceUri(section["blobServiceUri"], account, "blob");
        var queues = ServiceUri(section["queueServiceUri"], account, "queue");
        var credential = Identity(section["clientId"]);
        return new(
            new BlobServiceClient(blobs, credential, Checked(new BlobClientOptions())),
            encoding => new QueueServiceClient(queues, credential, QueueOptions(encoding)),
            prefix);
    }

    /// <summary>Connects with a connection string, such as <see cref="DevelopmentStorage"/>.</summary>
    /// <exception cref="SettingsException">It is not one.</exception>
    public static PipelineStorage FromConnectionString(string connection, string prefix = "") =>
        FromConnectionString(connection, prefix, new BlobClientOptions());

    /// <summary>The same with other settings of the blobs' client, as a test that lets a call fail.</summary>
    internal static PipelineStorage FromConnectionString(string connection, string prefix, BlobClientOptions blobs)
    {
        try
        {
            return new(new BlobServiceClient(connection, Checked(blobs)), encoding =>
                new QueueServiceClient(connection, QueueOptions(encoding)), prefix);
        }
        catch (FormatException)
        {
            // Without the inner message: it may quote the string, which holds a key.
            throw new SettingsException(
                $"{ConnectionSection} is not a storage connection string; copy it from the account's access keys, or use "
                    + $"{DevelopmentStorage} for Azurite.");
        }
    }

    /// <summary>A container's client, by a name of <see cref="StorageNames"/>.</summary>
    public BlobContainerClient Container(string name) => _blobs.GetBlobContainerClient(Prefix + name);

    /// <summary>A queue's client (Base64 messages, as the Functions host's default), by a name of <see cref="StorageNames"/>.</summary>
    public QueueClient Queue(string name) => _queues.GetQueueClient(Prefix + name);

    /// <summary>
    /// The same queue, its messages as they stand there. A client that decodes fails a whole receive for one message
    /// that is not Base64, so that nobody learns which one it is.
    /// </summary>
    public QueueClient RawQueue(string name) => _rawQueues.GetQueueClient(Prefix + name);

    /// <summary>Creates the containers and queues that are missing.</summary>
    public Task CreateAsync(CancellationToken cancellationToken = default) => Task.WhenAll(
    [
        .. StorageNames.Containers.Select(name => (Task)Container(name).CreateIfNotExistsAsync(cancellationToken: cancellationToken)),
        .. StorageNames.Queues.Select(name => (Task)Queue(name).CreateIfNotExistsAsync(cancellationToken: cancellationToken)),
    ]);

    private static T Checked<T>(T options)
        where T : ClientOptions
    {
        options.AddPolicy(new AnsweredByStorage(), HttpPipelinePosition.PerRetry);
        return options;
    }

    private static QueueClientOptions QueueOptions(QueueMessageEncoding encoding) =>
        Checked(new QueueClientOptions { MessageEncoding = encoding });

    private static TokenCredential Identity(string? clientId) =>
        new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = clientId });

    private static Uri ServiceUri(string? uri, string? account, string service) =>
        uri is { Length: > 0 } ? new Uri(uri)
        : account is { Length: > 0 } ? new Uri($"https://{account}.{service}.core.windows.net")
        : throw new SettingsException(
            $"No storage account is configured: set {ConnectionSection} to a connection string ({DevelopmentStorage} for Azurite) or "
                + $"{ConnectionSection}__accountName to an account's name.");
}

/// <summary>How the account's containers and queues are named; configuration section <c>ServerlessBert:Storage</c>.</summary>
public sealed record StorageOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Storage";

    /// <summary>A prefix for every container and queue, so that environments can share an account.</summary>
    [RegularExpression("[a-z0-9][a-z0-9-]{0,39}",
        ErrorMessage = "lower-case letters, digits and dashes, 40 at most, and begin with a letter or digit")]
    public string Prefix { get; init; } = "";
}

/// <summary>
/// Takes an answer for storage's only where it carries storage's request id. A proxy or a gateway on the way may answer
/// with a page of its own: as properties it would be a blob without an ETag, as 404 a deleted file, as content it would be
/// classified. It counts as no answer, so that the client's own retries ask again.
/// </summary>
internal sealed class AnsweredByStorage : HttpPipelinePolicy
{
    private const string RequestId = "x-ms-request-id";

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Check(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Check(message);
    }

    private static void Check(HttpMessage message)
    {
        if (message.Response.Status >= 500 || message.Response.Headers.Contains(RequestId)) return;
        throw new IOException(
            $"{message.Request.Uri.Host} answered {message.Response.Status} without {RequestId}: that is not the storage account, but "
                + "something on the way to it.");
    }
}
