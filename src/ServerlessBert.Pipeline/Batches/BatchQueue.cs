using Azure.Storage.Queues;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>A plan's batches as messages.</summary>
internal sealed class BatchQueue(PipelineStorage storage, RunOptions options)
{
    private readonly QueueClient _queue = storage.Queue(StorageNames.ReviewBatches);

    /// <summary>Sends the messages of some batches.</summary>
    public Task SendAsync(Run run, RunPlan plan, IEnumerable<int> batches, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        batches,
        new ParallelOptions { MaxDegreeOfParallelism = options.QueueParallelism, CancellationToken = cancellationToken },
        async (batch, token) => await _queue.SendMessageAsync(MessageOf(run, plan, batch).ToBody(), cancellationToken: token));

    /// <summary>The message of one batch. A run that a release without digests began goes on without one.</summary>
    public static ReviewBatchMessage MessageOf(Run run, RunPlan plan, int batch) => new()
    {
        Run = run.Id,
        Blob = run.Blob,
        ETag = run.ETag,
        IsRewritten = plan.IsRewritten ?? run.IsRewritten,
        Model = run.Model,
        Shadow = run.Shadow is { } shadow && shadow.Version != run.Model && shadow.Takes(run.Id, batch) ? shadow.Version : null,
        Plan = run.Plan is null ? null : plan.Digest,
        Batches = plan.Batches.Count,
        Layout = plan.Layout,
        Batch = plan.Batches[batch],
    };
}
