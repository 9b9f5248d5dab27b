using System.Buffers;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Runs the version in shadow on a batch, after the live one. Whatever goes wrong with it is counted and told, and
/// costs the batch at most <see cref="RunOptions.ShadowPatience"/>.
/// </summary>
internal sealed class ShadowClassifier(PipelineStorage storage, ModelCache models, RunOptions options, ILogger logger)
{
    /// <summary>Classifies and stages what came out, beside the predictions and never among them.</summary>
    /// <param name="message">The batch.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="live">What the live version said of them.</param>
    /// <param name="cancellationToken">Ends the whole batch.</param>
    /// <returns>The comparison's counts; null where no version runs in shadow on this batch.</returns>
    public async Task<ShadowStatistics?> ClassifyAsync(ReviewBatchMessage message, IReadOnlyList<Review> rows, Classification?[] live,
        CancellationToken cancellationToken)
    {
        if (message.Shadow is not { } version) return null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.ShadowPatience);
        try
        {
            using var lease = await models.TryAcquireShadowAsync(version, patience.Token);
            return lease is null
                ? Failed("no_room", null, "two models are in memory already.")
                : await ClassifyAsync(message, lease, rows, live, patience.Token);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return exception switch
            {
                OperationCanceledException =>
                    Failed("timeout", null, $"it was not done within {options.ShadowPatience.TotalSeconds:0.#} s."),
                ModelUnavailableException => Failed("unavailable", null, exception.Message),
                _ => Failed("failed", exception, exception.Message),
            };
        }

        ShadowStatistics Failed(string code, Exception? exception, string reason)
        {
            logger.ShadowFailed(exception, version, message.Batch.Index, message.Run, message.Blob, reason);
            return ShadowStatistics.Failed(code);
        }
    }

    private async Task<ShadowStatistics> ClassifyAsync(ReviewBatchMessage message, ModelLease lease, IReadOnlyList<Review> rows,
        Classification?[] live, CancellationToken cancellationToken)
    {
        int[] predicted = [.. Enumerable.Range(0, rows.Count).Where(row => live[row] is not null)];
        var answers = await lease.ClassifyAsync([.. predicted.Select(row => rows[row].Text)], cancellationToken);
        var shadow = new Classification?[rows.Count];
        var lines = new ArrayBufferWriter<byte>();
        foreach (var (row, answer) in predicted.Zip(answers))
        {
            shadow[row] = answer;
            PredictionWriter.Write(lines, rows[row], answer, lease.Version);
        }
        // A block cannot be empty; a batch without a predicted row has nothing to compare.
        if (lines.WrittenCount > 0)
            await new StagedBatches(storage, message.Run).StageShadowAsync(message.Block, lines.WrittenMemory, cancellationToken);
        return ShadowStatistics.Compute(rows, live, shadow);
    }
}
