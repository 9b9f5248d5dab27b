using ServerlessBert.Pipeline.Hosts;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Pipeline;

/// <summary>What <c>/api/status</c> and <c>sbert status</c> show, as data.</summary>
public sealed record PipelineState
{
    /// <summary>The storage account.</summary>
    public required string Account { get; init; }

    /// <summary>The queues and how much waits in each.</summary>
    public required IReadOnlyList<QueueDepth> Queues { get; init; }

    /// <summary>The live model; null while none was promoted.</summary>
    public ModelPointer? Live { get; init; }

    /// <summary>Why the pointer to the live model cannot be read; null when it can.</summary>
    public string? LiveError { get; init; }

    /// <summary>This host's models in memory.</summary>
    public required ModelCacheStatus Host { get; init; }

    /// <summary>The hosts that live, this one included where it is one.</summary>
    public IReadOnlyList<HostHeartbeat> Hosts { get; init; } = [];

    /// <summary>Running runs and the latest finished ones, the newest first within each.</summary>
    public required IReadOnlyList<RunProgress> Runs { get; init; }

    /// <summary>Trainings that run or wait, and the latest that ended.</summary>
    public IReadOnlyList<TrainingRun> Trainings { get; init; } = [];
}

/// <summary>How much waits in a queue.</summary>
/// <param name="Name">The queue, by its name in <see cref="Storage.StorageNames"/>.</param>
/// <param name="Messages">About how many messages, those being worked on included; null when the queue does not exist.</param>
public sealed record QueueDepth(string Name, int? Messages);
