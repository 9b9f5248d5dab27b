using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>Turns a dropped file into a run: reads it once, pins the live model, queues one message a batch.</summary>
public sealed class FileSplitter(
    PipelineStorage storage, RunStore runs, RunPublisher finishing, ModelRegistry registry, ModelCache models,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<FileSplitter> logger)
{
    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchQueue _queue = new(storage, options);

    /// <summary>Splits the file, once however often it is asked.</summary>
    /// <param name="message">The file; null, an event that tells of something else, is ignored.</param>
    /// <param name="cancellationToken">Ends the work; the message's next delivery goes on.</param>
    public async Task SplitAsync(ReviewFileMessage? message, CancellationToken cancellationToken = default)
    {
        if (message is null)
        {
            logger.OtherEvent();
            return;
        }
        if (message.Blob.StartsWith(ProcessedInputs.Folder, StringComparison.Ordinal))
        {
            logger.OtherEvent();
            return;
        }
        if (await _input.TryGetPropertiesAsync(message.Blob, cancellationToken) is not { } dropped)
        {
            logger.InputGone(message.Blob);
            return;
        }
        if (message.ETag is not null && message.ETag != ETags.Unquote(dropped.ETag)) logger.InputNewer(message.Blob);
        if (await BeginAsync(message.Blob, dropped, cancellationToken) is not { } run) return;
        try
        {
            await SplitAsync(run, cancellationToken);
        }
        catch (ReviewFileException exception)
        {
            await finishing.FailAsync(run, exception.Code, exception.Message, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween() || exception.IsNotFound())
        {
            if (await _input.LossOfAsync(run.Blob, run.ETag, cancellationToken) is not { } loss) throw;
            await finishing.LoseInputAsync(run, loss, cancellationToken);
        }
    }

    /// <summary>The run to split: a new one, or one whose splitting was cut off. Null where there is nothing to do.</summary>
    private async Task<Run?> BeginAsync(string blob, BlobProperties dropped, CancellationToken cancellationToken)
    {
        string etag = ETags.Unquote(dropped.ETag);
        string id = Run.IdOf(blob, etag);
        if (await runs.TryReadAsync(id, cancellationToken) is { } earlier) return Unsplit(earlier);
        if (await LiveAsync(cancellationToken) is not { } live)
        {
            logger.NoModel(blob);
            return null;
        }
        var run = new Run
        {
            Id = id,
            Blob = blob,
            ETag = etag,
            Model = live.Version,
            Shadow = live.Shadow,
            State = RunState.Splitting,
            Dropped = dropped.LastModified,
            Started = time.GetUtcNow(),
        };
        if (await runs.TryCreateAsync(run, cancellationToken)) return run;
        return await runs.TryReadAsync(id, cancellationToken) is { } other ? Unsplit(other) : null;
    }

    // While the pointer cannot be read, what this host serves goes on serving.
    private async Task<LiveModel?> LiveAsync(CancellationToken cancellationToken)
    {
        var reading = await registry.ReadPointerAsync(null, cancellationToken);
        if (reading.Damage is not null && models.Status.Version is { } served) return new(served, null);
        return reading.IntactPointer() is { } pointer ? new(pointer.Version, pointer.Shadow) : null;
    }

    // While it is splitting, its worker may have died, so it is split again: plan and messages come out the same.
    private Run? Unsplit(Run run)
    {
        if (run.State == RunState.Splitting) return run;
        logger.DuplicateFile(run.Blob, run.Id, run.State);
        return null;
    }

    private async Task SplitAsync(Run run, CancellationToken cancellationToken)
    {
        if (!ReviewContent.TryGetFormat(run.Blob, out var format, out _, out string? reason)) throw new ReviewFileException("unknown_format", reason);

        bool isRewritten = await NeedsRewritingAsync(run, cancellationToken);
        run = run with { IsRewritten = isRewritten };
        if (isRewritten) await _input.RewriteAsync(run, cancellationToken);

        ReviewFilePlan plan;
        await using (var content = isRewritten ? await _input.OpenRewrittenAsync(run, cancellationToken) : await _input.OpenAsync(run, cancellationToken))
        {
            plan = await ReviewSplitter.SplitAsync(content, format, reviews, cancellationToken);
        }
        await _queue.SavePlanAsync(run, plan, cancellationToken);
        await _queue.SendAsync(run, plan, Enumerable.Range(0, plan.Batches.Count), cancellationToken);
        await runs.UpdateAsync(run.Id, now => now.State != RunState.Splitting ? null : now with
        {
            State = RunState.Classifying,
            IsRewritten = isRewritten,
            Batches = plan.Batches.Count,
            Rows = plan.Rows,
            Bytes = plan.Bytes,
            Queued = time.GetUtcNow(),
        }, cancellationToken);
        logger.Split(run.Blob, run.Id, plan.Batches.Count, plan.Rows, run.Model);
        if (plan.Batches.Count == 0) await finishing.CompleteAsync(run.Id, 0, cancellationToken);
    }

    private async Task<bool> NeedsRewritingAsync(Run run, CancellationToken cancellationToken)
    {
        await using var content = await _input.OpenAsync(run, cancellationToken);
        byte[] head = new byte[ReviewContent.MagicBytes];
        int length = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return ReviewContent.NeedsRewriting(run.Blob, head.AsSpan(0, length));
    }

    private sealed record LiveModel(string Version, ModelShadow? Shadow);
}

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
