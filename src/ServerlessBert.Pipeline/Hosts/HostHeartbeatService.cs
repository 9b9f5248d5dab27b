using Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Pipeline.Hosts;

/// <summary>
/// While a host runs: looks at the pointer also where no batch comes, so that a promotion or a rollback reaches an idle
/// host too, and writes the host's sign of life.
/// </summary>
public sealed class HostHeartbeatService(HostHeartbeats heartbeats, ModelCache models, ModelCacheOptions options, TimeProvider time, ILogger<HostHeartbeatService> logger) : BackgroundService
{
    // What the platforms call a replica: Container Apps, App Service, then whatever the machine is called.
    private static readonly string Host =
        $"{Variable("CONTAINER_APP_REPLICA_NAME") ?? Variable("WEBSITE_INSTANCE_ID") ?? Environment.MachineName}-{Environment.ProcessId}";

    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await TellingAsync(() => heartbeats.RemoveGoneAsync(stoppingToken), stoppingToken);
        var written = DateTimeOffset.MinValue;
        using var timer = new PeriodicTimer(options.PollInterval < HostHeartbeats.Interval ? options.PollInterval : HostHeartbeats.Interval);
        do
        {
            _ = models.RefreshAsync(); // a swap may wait for files that the old model answers; the sign of life does not
            if (time.GetUtcNow() - written < HostHeartbeats.Interval) continue;
            written = time.GetUtcNow();
            await TellingAsync(() => heartbeats.WriteAsync(Now(), stoppingToken), stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TellingAsync(() => heartbeats.RemoveAsync(Host, cancellationToken), cancellationToken);
    }

    private HostHeartbeat Now() => new()
    {
        Host = Host,
        Started = _started,
        At = time.GetUtcNow(),
        Model = models.Status,
        MemoryBytes = Environment.WorkingSet,
    };

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    // A host that cannot say that it lives goes on working; storage that is away for good shows elsewhere.
    private async Task TellingAsync(Func<Task> tell, CancellationToken cancellationToken)
    {
        try
        {
            await tell();
        }
        catch (Exception exception) when (exception is RequestFailedException or AggregateException || (exception is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            if (!cancellationToken.IsCancellationRequested) logger.HeartbeatFailed(exception.Message.Split('\n')[0].Trim());
        }
    }
}
