using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Operations;

/// <summary>A host's heartbeat: the document <c>runs/hosts/&lt;host&gt;.json</c>.</summary>
public sealed record HostHeartbeat
{
    /// <summary>The host's name: the replica's where the platform gives one, else the machine's, and the process.</summary>
    public required string Host { get; init; }

    /// <summary>When the host started.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When this was written.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The host's models, what they answered and when last.</summary>
    public required ModelCacheStatus Model { get; init; }

    /// <summary>Why the host takes no batches; null where it takes them.</summary>
    public HostTrouble? Trouble { get; init; }

    /// <summary>Bytes of memory that the process has, native memory included.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Why the document cannot be read; null where it can.</summary>
    public string? Damage { get; init; }
}

/// <summary>The hosts' heartbeats in the runs container, where hosts may write.</summary>
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
            var host = Read(blob.Name, content, blob.Properties.LastModified ?? since);
            if (host.At > since) hosts.Add(host);
        }
        return [.. hosts.OrderBy(host => host.Host, StringComparer.Ordinal)];
    }

    /// <summary>Writes a host's heartbeat.</summary>
    public Task WriteAsync(HostHeartbeat heartbeat, CancellationToken cancellationToken) => BlobOf(heartbeat.Host).UploadAsync(
        new BinaryData(JsonSerializer.SerializeToUtf8Bytes(heartbeat, PipelineJson.Of<HostHeartbeat>())), overwrite: true,
            cancellationToken);

    /// <summary>Removes a host that ends.</summary>
    public Task RemoveAsync(string host, CancellationToken cancellationToken) =>
        BlobOf(host).DeleteIfExistsAsync(cancellationToken: cancellationToken);

    /// <summary>Removes what hosts that were killed left behind.</summary>
    public async Task RemoveGoneAsync(CancellationToken cancellationToken)
    {
        var since = time.GetUtcNow() - Lifetime;
        await foreach (var blob in _runs.GetBlobsAsync(new GetBlobsOptions { Prefix = Folder }, cancellationToken))
        {
            if (blob.Properties.LastModified < since) await _runs.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
        }
    }

    /// <summary>The document, or a heartbeat that says how it is damaged: one host's file must not hide the others.</summary>
    private static HostHeartbeat Read(string name, BlobDownloadResult content, DateTimeOffset written)
    {
        string damage = "it is empty";
        try
        {
            if (JsonSerializer.Deserialize(content.Content.ToMemory().Span, PipelineJson.Of<HostHeartbeat>()) is { } host) return host;
        }
        catch (JsonException exception)
        {
            damage = exception.Message;
        }
        return new()
        {
            Host = Path.GetFileNameWithoutExtension(name),
            Started = written,
            At = written,
            Model = new ModelCacheStatus(null, null, null, 0, null, null, []),
            MemoryBytes = 0,
            Damage = $"its document {name} cannot be read: {damage}",
        };
    }

    private BlobClient BlobOf(string host) => _runs.GetBlobClient($"{Folder}{host}.json");
}

/// <summary>
/// While a host runs: looks at the pointer also where no batch comes, so that a promotion or a rollback reaches an idle
/// host too, and writes the host's heartbeat.
/// </summary>
public sealed class HostHeartbeatService(
    HostHeartbeats heartbeats, ModelCache models, HostReadiness readiness, ModelCacheOptions options, TimeProvider time,
    ILogger<HostHeartbeatService> logger) : BackgroundService
{
    // What the platforms call a replica: Container Apps, App Service, then whatever the machine is called.
    private static readonly string Host =
        $"{Variable("CONTAINER_APP_REPLICA_NAME") ?? Variable("WEBSITE_INSTANCE_ID") ?? Environment.MachineName}-{Environment.ProcessId}";

    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await TryAsync(() => heartbeats.RemoveGoneAsync(stoppingToken), stoppingToken);
        var written = DateTimeOffset.MinValue;
        using var timer =
            new PeriodicTimer(options.PollInterval < HostHeartbeats.Interval ? options.PollInterval : HostHeartbeats.Interval);
        do
        {
            _ = models.RefreshAsync(); // a swap may wait for files that the old model answers; the heartbeat does not
            if (time.GetUtcNow() - written < HostHeartbeats.Interval) continue;
            written = time.GetUtcNow();
            await TryAsync(() => heartbeats.WriteAsync(Now(), stoppingToken), stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync(() => heartbeats.RemoveAsync(Host, cancellationToken), cancellationToken);
    }

    private HostHeartbeat Now() => new()
    {
        Host = Host,
        Started = _started,
        At = time.GetUtcNow(),
        Model = models.Status,
        Trouble = readiness.Trouble,
        MemoryBytes = Environment.WorkingSet,
    };

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    // A host that cannot write its heartbeat goes on working, whatever the reason is; storage that is gone for good shows elsewhere.
    private async Task TryAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await write();
        }
        catch (Exception exception)
        {
            if (!cancellationToken.IsCancellationRequested) logger.HeartbeatFailed(exception.Message.Split('\n')[0].Trim());
        }
    }
}
