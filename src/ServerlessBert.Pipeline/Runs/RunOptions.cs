using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>How runs are queued, watched and recovered; configuration section <c>ServerlessBert:Runs</c>.</summary>
public sealed record RunOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Runs";

    /// <summary>
    /// How old a file without a run must be before the sweep queues it: events come within seconds, and two messages
    /// for each drop would be a waste.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a classifying run may stand still before the sweep looks for lost batches: a batch takes under 20 s,
    /// and its retries a few times that.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan StallTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long splitting may take before the sweep takes it for dead: 64 GiB at 100 MB/s take 11 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SplitStallTime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How often the sweep queues what is missing, without any progress, before it gives up and writes error rows
    /// itself.
    /// </summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; init; } = 5;

    /// <summary>
    /// Attempts at a batch before its rows become errors, where its message counts them itself: host.json's
    /// maxDequeueCount.
    /// </summary>
    [Range(1, 1000)]
    public int BatchAttempts { get; init; } = 5;

    /// <summary>
    /// How long a host that cannot do batches waits before it asks again; doubled with each failure, up to twelve
    /// times this.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:02:00")]
    public TimeSpan HostRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Messages sent at once: a queue takes 2,000 a second, and a send takes some 10 ms.</summary>
    [Range(1, 256)]
    public int QueueParallelism { get; init; } = 16;

    /// <summary>
    /// How many of a file's last batches ask whether all are staged. A list of 50,000 blocks is 6 MB, too much to read
    /// after every batch; queues deliver nearly in order, and where the last one was not among these the sweep finishes the run.
    /// </summary>
    [Range(0, 50_000)]
    public int FinishTail { get; init; } = 256;

    /// <summary>
    /// How long a batch waits at most for the version in shadow, loading included: with it a batch stays under the 20
    /// s that scaling in leaves.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ShadowPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What becomes of an input whose predictions are published. A file that failed stays where it is, to be seen.</summary>
    public ProcessedInput ProcessedInput { get; init; } = ProcessedInput.Keep;

    /// <summary>
    /// How long an ended run's staged batches, plan and copy of the content are kept, and its document, once its input is
    /// not there any more: while it is, the document says that it was done. Longer than the 7 days that a message
    /// lives, so that no late one meets a run without its data. Zero keeps all for good.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan KeepEnded { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How many ended runs one sweep clears at most: each takes some calls, and there is a next sweep.</summary>
    [Range(1, 100_000)]
    public int ClearAtOnce { get; init; } = 100;

    /// <summary>How often a waiting copy into the predictions container is looked at: within an account a copy is done at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan CopyPoll { get; init; } = TimeSpan.FromMilliseconds(200);
}

/// <summary>What can become of an input whose predictions are published.</summary>
public enum ProcessedInput
{
    /// <summary>It stays as it is.</summary>
    Keep,

    /// <summary>It moves to <c>processed/</c> in the same container.</summary>
    Move,

    /// <summary>It gets the blob index tags <c>state=done</c> and <c>run=&lt;id&gt;</c>, which do not change its ETag.</summary>
    Tag,
}
