namespace ServerlessBert.Pipeline.Runs;

/// <summary>How runs are queued, watched and revived; configuration section <c>ServerlessBert:Runs</c>.</summary>
public sealed record RunOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Runs";

    /// <summary>How old a file without a run must be before the sweep queues it: events come within seconds, and two messages for each drop would be a waste.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a classifying run may stand still before the sweep looks for lost batches: a batch takes under 20 s, and its retries a few times that.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long splitting may take before the sweep takes it for dead: 64 GiB at 100 MB/s take 11 minutes.</summary>
    public TimeSpan SplitStallTime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often the sweep queues what is missing, without any progress, before it gives up and writes error rows itself.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Messages sent at once: a queue takes 2,000 a second, and a send takes some 10 ms.</summary>
    public int QueueParallelism { get; init; } = 16;

    /// <summary>
    /// How many of a file's last batches ask whether all are staged. A list of 50,000 blocks is 6 MB, too much to read
    /// after every batch; queues deliver nearly in order, and where the last one was not among these the sweep finishes the run.
    /// </summary>
    public int FinishTail { get; init; } = 256;

    /// <summary>How often a waiting copy into the predictions container is looked at: within an account a copy is done at once.</summary>
    public TimeSpan CopyPoll { get; init; } = TimeSpan.FromMilliseconds(200);
}
