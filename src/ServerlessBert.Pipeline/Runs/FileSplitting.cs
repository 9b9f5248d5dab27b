using ServerlessBert.Pipeline.Messages;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Turns a dropped file into a run: reads it once, pins the live model, queues one message a batch.</summary>
public sealed class FileSplitting
{
    /// <summary>Splits the file, once however often it is asked.</summary>
    public Task SplitAsync(ReviewFileMessage message, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
