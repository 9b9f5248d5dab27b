using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
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
    PipelineStorage storage, RunStore runs, RunPublisher finishing, ModelCache models, ModelRegistry registry,
    ReviewOptions reviews, RunOptions options, TimeProvider time, ILogger<BatchClassifier> logger)
{
    private readonly ReviewInput _input = new(storage, reviews);
    private readonly BatchFailures _failures = new(storage, time, logger);
    private readonly ModelFallback _repinning = new(runs, registry, models, logger);
    private readonly ShadowClassifier _shadow = new(storage, models, options, logger);

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

/// <summary>Remembers why a batch failed last, so that its error rows can say so when it is given up.</summary>
internal sealed class BatchFailures(PipelineStorage storage, TimeProvider time, ILogger logger)
{
    /// <summary>Keeps the reason. A failure to do so is logged and no more: the batch's own failure is the one to report.</summary>
    public async Task RecordAsync(ReviewBatchMessage message, long attempt, Exception reason)
    {
        PipelineMetrics.BatchFailed(reason);
        logger.BatchFailed(reason, message.Batch.Index, message.Run, message.Blob, attempt);
        var failure = new BatchFailure(message.Batch.Index, attempt, FirstLine(reason.Message), reason.GetType().Name, time.GetUtcNow());
        try
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(failure, PipelineJson.Of<BatchFailure>());
            await new RunBlobs(storage, message.Run).Failure(message.Batch.Index).UploadAsync(new BinaryData(json), overwrite: true);
        }
        catch (Azure.RequestFailedException exception)
        {
            logger.FailureNotRecorded(exception, message.Batch.Index, message.Run);
        }
        catch (AggregateException exception)
        {
            // The storage client's own retries ran out: storage cannot be reached.
            logger.FailureNotRecorded(exception, message.Batch.Index, message.Run);
        }
    }

    /// <summary>The reason as a sentence for the rows.</summary>
    public async Task<string> ReadAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var content = await new RunBlobs(storage, message.Run).Failure(message.Batch.Index).TryDownloadAsync(cancellationToken);
        if (content is null) return $"Batch {message.Batch.Index} never came to an end, and no worker left a reason; drop the file again to repeat it.";
        var failure = JsonSerializer.Deserialize(content.Content.ToMemory().Span, PipelineJson.Of<BatchFailure>())!;
        return $"Batch {failure.Batch} failed {failure.Attempt} times, the last time with: {failure.Message} Drop the file again to repeat it.";
    }

    // Storage's messages go on with headers and request ids, which say nothing to whoever reads predictions.
    private static string FirstLine(string message) => message.AsSpan().Trim().ToString().Split('\n', 2)[0].TrimEnd('\r');
}
