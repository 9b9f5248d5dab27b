using System.Text.Json;
using Azure.Storage.Queues;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>A run's plan as a blob, and its batches as messages.</summary>
internal sealed class BatchQueue(PipelineStorage storage, RunOptions options)
{
    private readonly QueueClient _queue = storage.Queue(StorageNames.ReviewBatches);

    /// <summary>Keeps the plan, so that a lost message can be written again without reading the file.</summary>
    public Task SavePlanAsync(Run run, ReviewFilePlan plan, CancellationToken cancellationToken) => new RunBlobs(storage, run.Id).Plan.UploadAsync(
        new BinaryData(JsonSerializer.SerializeToUtf8Bytes(plan, PipelineJson.Of<ReviewFilePlan>())), overwrite: true, cancellationToken);

    /// <summary>The plan that was kept.</summary>
    public async Task<ReviewFilePlan> ReadPlanAsync(Run run, CancellationToken cancellationToken)
    {
        var content = await new RunBlobs(storage, run.Id).Plan.DownloadContentAsync(cancellationToken);
        return JsonSerializer.Deserialize(content.Value.Content.ToMemory().Span, PipelineJson.Of<ReviewFilePlan>())!;
    }

    /// <summary>Sends the messages of some batches.</summary>
    public Task SendAsync(Run run, ReviewFilePlan plan, IEnumerable<int> batches, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        batches,
        new ParallelOptions { MaxDegreeOfParallelism = options.QueueParallelism, CancellationToken = cancellationToken },
        async (batch, token) => await _queue.SendMessageAsync(MessageOf(run, plan, batch).ToBody(), cancellationToken: token));

    /// <summary>The message of one batch.</summary>
    public static ReviewBatchMessage MessageOf(Run run, ReviewFilePlan plan, int batch) => new()
    {
        Run = run.Id,
        Blob = run.Blob,
        ETag = run.ETag,
        IsRewritten = run.IsRewritten,
        Model = run.Model,
        Shadow = run.Shadow is { } shadow && shadow.Version != run.Model && shadow.Takes(run.Id, batch) ? shadow.Version : null,
        Batches = plan.Batches.Count,
        Layout = plan.Layout,
        Batch = plan.Batches[batch],
    };
}
