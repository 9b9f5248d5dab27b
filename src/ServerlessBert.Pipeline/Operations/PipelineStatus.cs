using Azure;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Operations;

/// <summary>
/// What <c>/api/status</c> and <c>sbert status</c> show: queues, live model, the hosts and their models, runs, trainings.
/// </summary>
public sealed class PipelineStatus(
    PipelineStorage storage, ModelRegistry models, ModelCache cache, HostHeartbeats hosts, HostReadiness readiness, RunStore runs,
        TrainingStateStore trainings)
{
    private const int FinishedRuns = 20, Trainings = 5;

    /// <summary>Reads the present state.</summary>
    public async Task<PipelineState> ReadAsync(CancellationToken cancellationToken = default)
    {
        var (live, error) = await LiveAsync(cancellationToken);
        return new PipelineState
        {
            Account = storage.AccountName,
            Queues = await Task.WhenAll(StorageNames.Queues.Select(queue => DepthAsync(queue, cancellationToken))),
            Live = live,
            LiveError = error,
            Host = cache.Status,
            HostTrouble = readiness.Trouble,
            Hosts = await hosts.ReadAsync(cancellationToken),
            Runs = await runs.RecentAsync(FinishedRuns, cancellationToken),
            Trainings = await trainings.RecentAsync(Trainings, cancellationToken),
        };
    }

    private async Task<(ModelPointer? Live, string? Error)> LiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await models.CurrentAsync(cancellationToken), null);
        }
        catch (ModelUnavailableException exception)
        {
            return (null, exception.Message);
        }
    }

    private async Task<QueueDepth> DepthAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            QueueProperties properties = await storage.Queue(name).GetPropertiesAsync(cancellationToken);
            return new QueueDepth(name, properties.ApproximateMessagesCount);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return new QueueDepth(name, null);
        }
    }
}

/// <summary>What <c>/api/status</c> and <c>sbert status</c> show, as data.</summary>
public sealed record PipelineState
{
    /// <summary>The storage account.</summary>
    public required string Account { get; init; }

    /// <summary>The queues and how much waits in each.</summary>
    public required IReadOnlyList<QueueDepth> Queues { get; init; }

    /// <summary>The live model; null while none was promoted.</summary>
    public ModelPointer? Live { get; init; }

    /// <summary>Why the pointer to the live model cannot be read; null when it can.</summary>
    public string? LiveError { get; init; }

    /// <summary>This host's models in memory.</summary>
    public required ModelCacheStatus Host { get; init; }

    /// <summary>Why this host takes no batches; null where it takes them.</summary>
    public HostTrouble? HostTrouble { get; init; }

    /// <summary>The hosts that live, this one included where it is one.</summary>
    public IReadOnlyList<HostHeartbeat> Hosts { get; init; } = [];

    /// <summary>Running runs and the latest finished ones, the newest first within each.</summary>
    public required IReadOnlyList<RunProgress> Runs { get; init; }

    /// <summary>Trainings that run or wait, and the latest that ended.</summary>
    public IReadOnlyList<TrainingJobState> Trainings { get; init; } = [];
}

/// <summary>How much waits in a queue.</summary>
/// <param name="Name">The queue, by its name in <see cref="Storage.StorageNames"/>.</param>
/// <param name="Messages">About how many messages, those being worked on included; null when the queue does not exist.</param>
public sealed record QueueDepth(string Name, int? Messages);
