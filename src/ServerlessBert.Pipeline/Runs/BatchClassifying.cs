using ServerlessBert.Pipeline.Messages;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Classifies one batch of a run and commits the file when it was the last.</summary>
public sealed class BatchClassifying
{
    /// <summary>Range-reads, tokenizes, predicts and stages the batch's block. A failure is recorded with the run and thrown, so that the queue delivers again.</summary>
    public Task ClassifyAsync(ReviewBatchMessage message, long dequeueCount, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Stages error rows for a batch that was given up on, so that its file completes.</summary>
    public Task QuarantineAsync(ReviewBatchMessage message, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
