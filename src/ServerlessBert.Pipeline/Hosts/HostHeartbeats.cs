using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Hosts;

/// <summary>The hosts' signs of life in the runs container, where hosts may write.</summary>
public sealed class HostHeartbeats(PipelineStorage storage, TimeProvider time)
{
    /// <summary>Least time between two writes of one host: a write costs, and half a minute is young enough to be looked at.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>A host that was silent for four intervals is gone.</summary>
    public static readonly TimeSpan Lifetime = 4 * Interval;

    private const string Folder = "hosts/";

    private readonly BlobContainerClient _runs = storage.Container(StorageNames.Runs);

    /// <summary>The hosts that live, by name.</summary>
    public async Task<IReadOnlyList<HostHeartbeat>> ReadAsync(CancellationToken cancellationToken = default)
    {
        var hosts = new List<HostHeartbeat>();
        var since = time.GetUtcNow() - Lifetime;
        await foreach (var blob in _runs.GetBlobsAsync(new GetBlobsOptions { Prefix = Folder }, cancellationToken))
        {
            if (await _runs.GetBlobClient(blob.Name).TryDownloadAsync(cancellationToken) is not { } content) continue;
            var host = JsonSerializer.Deserialize(content.Content.ToMemory().Span, PipelineJson.Of<HostHeartbeat>());
            if (host?.At > since) hosts.Add(host);
        }
        return [.. hosts.OrderBy(host => host.Host, StringComparer.Ordinal)];
    }

    /// <summary>Writes a host's sign of life.</summary>
    public Task WriteAsync(HostHeartbeat heartbeat, CancellationToken cancellationToken) => BlobOf(heartbeat.Host).UploadAsync(
        new BinaryData(JsonSerializer.SerializeToUtf8Bytes(heartbeat, PipelineJson.Of<HostHeartbeat>())), overwrite: true, cancellationToken);

    /// <summary>Removes a host that ends.</summary>
    public Task RemoveAsync(string host, CancellationToken cancellationToken) => BlobOf(host).DeleteIfExistsAsync(cancellationToken: cancellationToken);

    /// <summary>Removes what hosts that were killed left behind.</summary>
    public async Task RemoveGoneAsync(CancellationToken cancellationToken)
    {
        var since = time.GetUtcNow() - Lifetime;
        await foreach (var blob in _runs.GetBlobsAsync(new GetBlobsOptions { Prefix = Folder }, cancellationToken))
        {
            if (blob.Properties.LastModified < since) await _runs.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
        }
    }

    private BlobClient BlobOf(string host) => _runs.GetBlobClient($"{Folder}{host}.json");
}
