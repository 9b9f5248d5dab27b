namespace ServerlessBert.Pipeline.Training;

/// <summary>Asks for a training when there are labelled files that the live model has not seen.</summary>
public sealed class RetrainingSchedule
{
    /// <summary>Queues a request or says in the log why not.</summary>
    public Task RequestIfNeededAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
