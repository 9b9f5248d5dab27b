using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Pipeline.Hosts;

/// <summary>A host's sign of life: the document <c>runs/hosts/&lt;host&gt;.json</c>.</summary>
public sealed record HostHeartbeat
{
    /// <summary>The host's name: the replica's where the platform gives one, else the machine's, and the process.</summary>
    public required string Host { get; init; }

    /// <summary>When the host started.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When this was written.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The host's models, what they answered and when last.</summary>
    public required ModelCacheStatus Model { get; init; }

    /// <summary>Bytes of memory that the process has, native memory included.</summary>
    public required long MemoryBytes { get; init; }
}
