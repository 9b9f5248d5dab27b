namespace ServerlessBert.Pipeline;

/// <summary>What <c>/api/status</c> and <c>sbert status</c> show: queues, live model, this host's model, runs.</summary>
public sealed class PipelineStatus
{
    /// <summary>Reads the present state.</summary>
    public Task<object> ReadAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
