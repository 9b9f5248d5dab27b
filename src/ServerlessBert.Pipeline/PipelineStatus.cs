using Azure;
using Azure.Storage.Queues.Models;
using ServerlessBert.Pipeline.Hosts;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Pipeline;

/// <summary>What <c>/api/status</c> and <c>sbert status</c> show: queues, live model, the hosts and their models, runs, trainings.</summary>
public sealed class PipelineStatus(
    PipelineStorage storage, ModelRegistry models, ModelCache cache, HostHeartbeats hosts, RunStore runs, TrainingStateStore trainings)
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
        catch (RequestFailedException exception) when (exception.IsAbsent())
        {
            return new QueueDepth(name, null);
        }
    }
}
