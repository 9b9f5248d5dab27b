using Azure;
using Azure.Storage.Blobs.Models;
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
    PipelineStorage storage, RunStore runs, RunPublisher publisher, ModelRegistry registry, ModelCache models,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<FileSplitter> logger)
{
    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchQueue _queue = new(storage, options);
    private readonly RunPlans _plans = new(storage);

    /// <summary>Splits the file, once however often it is asked.</summary>
    /// <param name="message">The file; null, an event that tells of something else, is ignored.</param>
    /// <param name="cancellationToken">Ends the work; the message's next delivery goes on.</param>
    public async Task SplitAsync(ReviewFileMessage? message, CancellationToken cancellationToken = default)
    {
        if (message is null || message.Blob.Value.StartsWith(ProcessedInputs.Folder, StringComparison.Ordinal))
        {
            logger.OtherEvent();
            return;
        }
        if (await _input.TryGetPropertiesAsync(message.Blob, cancellationToken) is not { } dropped)
        {
            logger.InputGone(message.Blob);
            return;
        }
        if (Blobs.IsFolderMarker(dropped.Metadata))
        {
            logger.OtherEvent();
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
            await publisher.FailAsync(run, exception.Code, exception.Message, cancellationToken);
        }
        catch (UnwritableBlobException exception)
        {
            await publisher.FailAsync(run, RunPublisher.UnwritableCode, $"{exception.Message} Then drop {run.Blob} again.",
                cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween() || exception.IsNotFound())
        {
            if (await _input.ChangeOfAsync(run.Blob, run.ETag, cancellationToken) is not { } loss) throw;
            await publisher.LoseInputAsync(run, loss, cancellationToken);
        }
    }

    /// <summary>The run to split: a new one, or one whose splitting was cut off. Null where there is nothing to do.</summary>
    private async Task<Run?> BeginAsync(BlobName blob, BlobProperties dropped, CancellationToken cancellationToken)
    {
        string etag = ETags.Unquote(dropped.ETag);
        var id = RunId.Compute(blob, etag);
        try
        {
            if (await runs.TryReadAsync(id, cancellationToken) is { } earlier) return Unsplit(earlier);
        }
        catch (DamagedDocumentException exception)
        {
            await EndDamagedAsync(id, blob, dropped, exception.Message, cancellationToken);
            return null;
        }
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

    // What it said of the model is lost, and batches that are staged may be another's: the drop fails, and a new one is whole.
    private async Task EndDamagedAsync(RunId id, BlobName blob, BlobProperties dropped, string damage, CancellationToken cancellationToken)
    {
        var run = new Run
        {
            Id = id,
            Blob = blob,
            ETag = ETags.Unquote(dropped.ETag),
            Model = "",
            State = RunState.Splitting,
            Dropped = dropped.LastModified,
            Started = time.GetUtcNow(),
        };
        await runs.ReplaceDamagedAsync(run, cancellationToken);
        await publisher.FailAsync(run, RunStore.DamagedCode, $"{damage} Drop {blob} again.", cancellationToken);
    }

    // While the pointer cannot be read, what this host serves goes on serving.
    private async Task<LiveModel?> LiveAsync(CancellationToken cancellationToken)
    {
        var reading = await registry.ReadPointerAsync(null, cancellationToken);
        if (reading.Damage is not null && models.Status.Version is { } served) return new(served, null);
        return reading.IntactPointer() is { } pointer ? new(pointer.Version, pointer.Shadow) : null;
    }

    // While it is splitting, its worker may have died, so it is split again: the plan stands, and the messages come out the same.
    private Run? Unsplit(Run run)
    {
        if (run.State == RunState.Splitting) return run;
        logger.DuplicateFile(run.Blob, run.Id, run.State);
        return null;
    }

    private async Task SplitAsync(Run run, CancellationToken cancellationToken)
    {
        if (!ReviewContent.TryGetFormat(run.Blob, out var format, out _, out string? reason))
            throw new ReviewFileException("unknown_format", reason);
        if (!RunPublisher.HasNamesForOutput(run))
            throw new ReviewFileException("name_too_long",
                $"The file's name has {run.Blob.Value.Length} characters, and \"{run.SummaryName[run.Blob.Value.Length..]}\" is put "
                    + $"behind it for the summary; storage takes {BlobName.MaxLength} in all. Shorten it and drop the file again.");

        var plan = await _plans.TryReadAsync(run.Id, cancellationToken)
            ?? await _plans.KeepAsync(run.Id, await CutAsync(run, format, cancellationToken), cancellationToken);
        bool isRewritten = plan.IsRewritten ?? await NeedsRewritingAsync(run, cancellationToken);
        if (isRewritten) await _input.RewriteAsync(run, cancellationToken);
        run = run with { IsRewritten = isRewritten, Plan = plan.Digest };

        await _queue.SendAsync(run, plan with { IsRewritten = isRewritten }, Enumerable.Range(0, plan.Batches.Count), cancellationToken);
        await runs.UpdateAsync(run.Id, now => now.State != RunState.Splitting ? null : now with
        {
            State = RunState.Classifying,
            IsRewritten = isRewritten,
            Plan = plan.Digest,
            Batches = plan.Batches.Count,
            Rows = plan.Rows,
            Bytes = plan.Bytes,
            Queued = time.GetUtcNow(),
        }, cancellationToken);
        logger.Split(run.Blob, run.Id, plan.Batches.Count, plan.Rows, run.Model);
        if (plan.Batches.Count == 0) await publisher.CompleteAsync(run.Id, cancellationToken);
    }

    private async Task<RunPlan> CutAsync(Run run, ReviewFormat format, CancellationToken cancellationToken)
    {
        bool isRewritten = await NeedsRewritingAsync(run, cancellationToken);
        if (isRewritten) await _input.RewriteAsync(run, cancellationToken);
        await using var content = isRewritten ? await _input.OpenRewrittenAsync(run, cancellationToken)
            : await _input.OpenAsync(run, cancellationToken);
        return RunPlan.From(await ReviewSplitter.SplitAsync(content, format, reviews, cancellationToken), isRewritten);
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
