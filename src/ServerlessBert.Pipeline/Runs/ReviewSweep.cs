namespace ServerlessBert.Pipeline.Runs;

/// <summary>Finds what an event or a message missed: files without a run, runs without progress.</summary>
public sealed class ReviewSweep
{
    /// <summary>Queues what is missing.</summary>
    public Task SweepAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
