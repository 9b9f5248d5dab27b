using System.Buffers;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Classifies one batch of a run and commits the file when it was the last. Four storage calls a batch: read its
/// range, stage its lines, stage its counts, see whether all are staged.
/// </summary>
public sealed class BatchClassifier(
    PipelineStorage storage, RunStore runs, RunPublisher publisher, ModelCache models, ModelRegistry registry,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<BatchClassifier> logger)
{
    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchFailures _failures = new(storage, time, logger);
    private readonly ModelFallback _fallback = new(runs, registry, models, logger);
    private readonly ShadowClassifier _shadow = new(storage, models, options, logger);

    /// <summary>
    /// Range-reads, tokenizes, predicts and stages the batch's block. A failure is thrown; where it is the batch's
    /// own, it is recorded with the run.
    /// </summary>
    /// <param name="message">The batch.</param>
    /// <param name="attempt">How often it was tried, this time included.</param>
    /// <param name="cancellationToken">Ends the work; the message's next delivery repeats it.</param>
    public async Task ClassifyAsync(ReviewBatchMessage message, long attempt, CancellationToken cancellationToken = default)
    {
        try
        {
            bool isRepeated = attempt > 1;
            if (isRepeated && await PublishIfAllStagedAsync(message, cancellationToken)) return;
            if (!await StageAsync(message, cancellationToken)) return;
            if (isRepeated || message.Batch.Index >= message.Batches - options.FinishTail)
                await PublishIfAllStagedAsync(message, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && IsOfBatch(exception))
        {
            await _failures.RecordAsync(message, attempt, exception);
            throw;
        }
    }

    // The host's and storage's failures say nothing of the batch.
    private static bool IsOfBatch(Exception exception) =>
        exception is not (HostUnableException or UnwritableBlobException) && !StorageErrors.IsUnreachable(exception);

    /// <summary>
    /// Stages error rows for a batch that was dead-lettered, so that its file completes. A batch that was staged
    /// after all keeps its predictions.
    /// </summary>
    public async Task DeadLetterAsync(ReviewBatchMessage message, CancellationToken cancellationToken = default)
    {
        try
        {
            if ((await new StagedBatches(storage, message.Run).MissingAsync([message.Block], cancellationToken)).Count > 0)
            {
                string reason = await _failures.ReadAsync(message, cancellationToken);
                logger.BatchDeadLettered(message.Batch.Index, message.Run, message.Blob, reason);
                IReadOnlyList<Review> rows = await ErrorRowsAsync(message, new RowError("batch_failed", reason), cancellationToken);
                await StageAsync(message, new(rows, new Classification?[rows.Count], message.Model), Stopwatch.StartNew(),
                    cancellationToken);
            }
            await publisher.CompleteAsync(message.Run, cancellationToken);
        }
        catch (UnwritableBlobException exception)
        {
            // Not even error rows can be staged: the run ends without them.
            if (await runs.TryReadAsync(message.Run, cancellationToken) is { IsFinished: false } run)
                await publisher.FailAsync(run, RunPublisher.UnwritableCode, $"{exception.Message} Then drop {run.Blob} again.",
                    cancellationToken);
        }
    }

    /// <summary>False when the input is lost and the run ended with it.</summary>
    private async Task<bool> StageAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var (content, loss) = await _input.ReadAsync(message, cancellationToken);
        if (loss is { } lost)
        {
            if (await runs.TryReadAsync(message.Run, cancellationToken) is { IsFinished: false } run)
                await publisher.LoseInputAsync(run, lost, cancellationToken);
            return false;
        }
        var rows = ReviewReader.Read(content, message.Layout, message.Batch, reviews);
        if (rows.Count != message.Batch.Rows)
            throw new InvalidDataException(
                $"Batch {message.Batch.Index} reads as {rows.Count} rows and is planned with {message.Batch.Rows}; another release made "
                    + "the plan.");
        var classified = await ClassifyAsync(message, rows, cancellationToken);
        var shadow = await _shadow.ClassifyAsync(message, rows, classified.Classifications, cancellationToken);
        await StageAsync(message, classified with { Shadow = shadow }, clock, cancellationToken);
        return true;
    }

    private async Task<ClassifiedRows> ClassifyAsync(ReviewBatchMessage message, IReadOnlyList<Review> rows,
        CancellationToken cancellationToken)
    {
        var classifications = new Classification?[rows.Count];
        var readable = new ReadableRows(rows);
        if (readable.Texts.Count == 0) return new(rows, classifications, message.Model);

        using var lease = await AcquireAsync(message, cancellationToken);
        classifications = readable.Align(await lease.ClassifyAsync(readable.Texts, cancellationToken));
        return new(rows, classifications, lease.Version) { Dtype = lease.Dtype };
    }

    private async Task<ModelLease> AcquireAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        try
        {
            return await models.AcquireAsync(message.Model, cancellationToken);
        }
        catch (ModelUnavailableException reason)
        {
            return await _fallback.AcquireAsync(message, reason, cancellationToken);
        }
    }

    private async Task StageAsync(ReviewBatchMessage message, ClassifiedRows classified, Stopwatch clock,
        CancellationToken cancellationToken)
    {
        var (rows, classifications, model) = classified;
        var lines = new ArrayBufferWriter<byte>(rows.Count * 160);
        foreach (var (review, classification) in rows.Zip(classifications)) PredictionWriter.Write(lines, review, classification, model);
        var counts = BatchStatistics.Compute(rows, classifications, model, clock.Elapsed.TotalSeconds, classified.Dtype);
        var statistics = counts with { Shadow = classified.Shadow };
        await new StagedBatches(storage, message.Run).StageAsync(message.Block, lines.WrittenMemory, statistics, cancellationToken);

        PipelineMetrics.BatchStaged(statistics.Predictions, statistics.Errors, clock.Elapsed);
        logger.BatchStaged(message.Batch.Index, message.Run, message.Blob, rows.Count, clock.Elapsed.TotalSeconds, model);
    }

    // The message only says whether it pays to look; what is complete says the plan.
    private async Task<bool> PublishIfAllStagedAsync(ReviewBatchMessage message, CancellationToken cancellationToken) =>
        await new StagedBatches(storage, message.Run).CountAsync(cancellationToken) >= message.Batches
        && await publisher.CompleteAsync(message.Run, cancellationToken);

    // Ids are kept where the rows can still be read; where reading is what fails, the rows are made from their numbers.
    private async Task<IReadOnlyList<Review>> ErrorRowsAsync(ReviewBatchMessage message, RowError error,
        CancellationToken cancellationToken)
    {
        var batch = message.Batch;
        try
        {
            var (content, loss) = await _input.ReadAsync(message, cancellationToken);
            if (loss is null && ReviewReader.Read(content, message.Layout, batch, reviews) is { } rows && rows.Count == batch.Rows)
                return [.. rows.Select(row => row.Error is null ? row with { Text = "", Error = error } : row)];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.BatchUnreadable(exception, batch.Index, message.Run, message.Blob);
        }
        return [.. Enumerable.Range(0, batch.Rows).Select(row => new Review { Row = batch.FirstRow + row, Error = error })];
    }

    private sealed record ClassifiedRows(IReadOnlyList<Review> Rows, Classification?[] Classifications, string Model)
    {
        public string? Dtype { get; init; }

        public ShadowStatistics? Shadow { get; init; }
    }
}

/// <summary>Remembers why a batch failed last, so that its error rows can say so when it is dead-lettered.</summary>
internal sealed class BatchFailures(PipelineStorage storage, TimeProvider time, ILogger logger)
{
    /// <summary>Keeps the reason. A failure to do so is logged and no more: the batch's own failure is the one to report.</summary>
    public async Task RecordAsync(ReviewBatchMessage message, long attempt, Exception reason)
    {
        PipelineMetrics.BatchFailed(reason);
        logger.BatchFailed(reason, message.Batch.Index, message.Run, message.Blob, attempt);
        var failure = new BatchFailure(message.Batch.Index, attempt, StorageErrors.Sentence(reason), reason.GetType().Name,
            time.GetUtcNow());
        try
        {
            await new RunBlobs(storage, message.Run).Failure(message.Batch.Index)
                .UploadAsync(new BinaryData(PipelineJson.ToBytes(failure)), overwrite: true);
        }
        catch (Exception exception) when (exception is Azure.RequestFailedException || StorageErrors.IsUnreachable(exception))
        {
            logger.FailureNotRecorded(exception, message.Batch.Index, message.Run);
        }
    }

    /// <summary>The reason as a sentence for the rows.</summary>
    public async Task<string> ReadAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var reading = await new JsonBlob<BatchFailure>(new RunBlobs(storage, message.Run).Failure(message.Batch.Index))
            .ReadAsync(null, cancellationToken);
        return reading.Value is { } failure
            ? $"Batch {failure.Batch} failed {failure.Attempt} times, the last time with: {failure.Message} Drop the file again to repeat "
                + "it."
            : $"Batch {message.Batch.Index} never came to an end, and no worker left a reason; drop the file again to repeat it.";
    }
}
