using System.Buffers;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>
/// Classifies one batch of a run and commits the file when it was the last. Four storage calls a batch: read its
/// range, stage its lines, stage its counts, see whether all are staged.
/// </summary>
public sealed class BatchClassifying(
    PipelineStorage storage, RunStore runs, RunFinishing finishing, ModelCache models, ModelRegistry registry,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<BatchClassifying> logger)
{
    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchFailures _failures = new(storage, time, logger);
    private readonly RunRepinning _repinning = new(runs, registry, models, logger);
    private readonly ShadowClassifying _shadow = new(storage, models, options, logger);

    /// <summary>Range-reads, tokenizes, predicts and stages the batch's block. A failure is recorded with the run and thrown, so that the queue delivers again.</summary>
    /// <param name="message">The batch.</param>
    /// <param name="dequeueCount">How often the queue has delivered the message, this time included.</param>
    /// <param name="cancellationToken">Ends the work; the message's next delivery repeats it.</param>
    public async Task ClassifyAsync(ReviewBatchMessage message, long dequeueCount, CancellationToken cancellationToken = default)
    {
        try
        {
            bool isRepeated = dequeueCount > 1;
            if (isRepeated && await FinishIfAllStagedAsync(message, cancellationToken)) return;
            if (!await StageAsync(message, cancellationToken)) return;
            if (isRepeated || message.Batch.Index >= message.Batches - options.FinishTail) await FinishIfAllStagedAsync(message, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            await _failures.RecordAsync(message, dequeueCount, exception);
            throw;
        }
    }

    /// <summary>Stages error rows for a batch that was given up on, so that its file completes. A batch that was staged after all keeps its predictions.</summary>
    public async Task QuarantineAsync(ReviewBatchMessage message, CancellationToken cancellationToken = default)
    {
        var staged = new StagedBatches(storage, message.Run);
        if (!(await staged.ReadAsync(cancellationToken)).Indexes.Contains(message.Batch.Index))
        {
            string reason = await _failures.ReadAsync(message, cancellationToken);
            logger.BatchGivenUp(message.Batch.Index, message.Run, message.Blob, reason);
            IReadOnlyList<Review> rows = await GivenUpRowsAsync(message, new RowError("batch_failed", reason), cancellationToken);
            await StageAsync(message, new(rows, new Classification?[rows.Count], message.Model), Stopwatch.StartNew(), cancellationToken);
        }
        await FinishIfAllStagedAsync(message, cancellationToken);
    }

    /// <summary>False when the input is lost and the run ended with it.</summary>
    private async Task<bool> StageAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var (content, loss) = await _input.ReadAsync(message, cancellationToken);
        if (loss is { } lost)
        {
            if (await runs.TryReadAsync(message.Run, cancellationToken) is { IsFinished: false } run) await finishing.LoseInputAsync(run, lost, cancellationToken);
            return false;
        }
        var rows = ReviewReader.Read(content, message.Layout, message.Batch, reviews);
        var classified = await ClassifyAsync(message, rows, cancellationToken);
        var shadow = await _shadow.ClassifyAsync(message, rows, classified.Classifications, cancellationToken);
        await StageAsync(message, classified with { Shadow = shadow }, clock, cancellationToken);
        return true;
    }

    private async Task<ClassifiedRows> ClassifyAsync(ReviewBatchMessage message, IReadOnlyList<Review> rows, CancellationToken cancellationToken)
    {
        var classifications = new Classification?[rows.Count];
        var readable = new ReadableRows(rows);
        if (readable.Texts.Count == 0) return new(rows, classifications, message.Model);

        using var lease = await AcquireAsync(message, cancellationToken);
        classifications = readable.Align(await lease.ClassifyAsync(readable.Texts, cancellationToken));
        return new(rows, classifications, lease.Version);
    }

    private async Task<ModelLease> AcquireAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        try
        {
            return await models.AcquireAsync(message.Model, cancellationToken);
        }
        catch (ModelUnavailableException reason)
        {
            return await _repinning.AcquireAsync(message, reason, cancellationToken);
        }
    }

    private async Task StageAsync(ReviewBatchMessage message, ClassifiedRows classified, Stopwatch clock, CancellationToken cancellationToken)
    {
        var (rows, classifications, model) = classified;
        var lines = new ArrayBufferWriter<byte>(rows.Count * 160);
        foreach (var (review, classification) in rows.Zip(classifications)) PredictionWriter.Write(lines, review, classification, model);
        var statistics = BatchStatistics.Of(rows, classifications, model, clock.Elapsed.TotalSeconds) with { Shadow = classified.Shadow };
        await new StagedBatches(storage, message.Run).StageAsync(message.Batch.Index, lines.WrittenMemory, statistics, cancellationToken);

        PipelineMetrics.BatchStaged(statistics.Predictions, statistics.Errors, clock.Elapsed);
        logger.BatchStaged(message.Batch.Index, message.Run, message.Blob, rows.Count, clock.Elapsed.TotalSeconds, model);
    }

    private async Task<bool> FinishIfAllStagedAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var staged = await new StagedBatches(storage, message.Run).ReadAsync(cancellationToken);
        if (staged.Indexes.Count < message.Batches) return false;
        await finishing.CompleteAsync(message.Run, message.Batches, cancellationToken);
        return true;
    }

    // Ids are kept where the rows can still be read; where reading is what fails, the rows are made from their numbers.
    private async Task<IReadOnlyList<Review>> GivenUpRowsAsync(ReviewBatchMessage message, RowError error, CancellationToken cancellationToken)
    {
        var batch = message.Batch;
        try
        {
            var (content, loss) = await _input.ReadAsync(message, cancellationToken);
            if (loss is null) return [.. ReviewReader.Read(content, message.Layout, batch, reviews).Select(row => row.Error is null ? row with { Text = "", Error = error } : row)];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.BatchFailed(exception, batch.Index, message.Run, message.Blob, 0);
        }
        return [.. Enumerable.Range(0, batch.Rows).Select(row => new Review { Row = batch.FirstRow + row, Error = error })];
    }

    private sealed record ClassifiedRows(IReadOnlyList<Review> Rows, Classification?[] Classifications, string Model)
    {
        public ShadowStatistics? Shadow { get; init; }
    }
}
