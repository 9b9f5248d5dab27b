namespace ServerlessBert.Cli.Hosting;

/// <summary>Pauses between looks at an empty queue: doubling from 100 ms to the longest, and short again after a message.</summary>
internal sealed class PollingBackoff(TimeSpan longest)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private TimeSpan next = Shortest;

    /// <summary>The next pause.</summary>
    public TimeSpan Next()
    {
        TimeSpan pause = next < longest ? next : longest;
        next = pause * 2;
        return pause;
    }

    /// <summary>A message came.</summary>
    public void Reset() => next = Shortest;
}
