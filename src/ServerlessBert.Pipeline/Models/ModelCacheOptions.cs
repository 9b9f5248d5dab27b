using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Pipeline.Models;

/// <summary>How models are held in memory; configuration section <c>ServerlessBert:Models</c>.</summary>
public sealed record ModelCacheOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Models";

    /// <summary>Least time between two looks at current.json: one small conditional GET a host each 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a model that is not live stays after its last lease. Batches of a run that is pinned to it come one
    /// after the other, and loading it anew between two would cost more than both.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Versions in memory at once: the one that serves and the one that comes; a third would not fit beside bert-base on 4 GiB.
    /// </summary>
    [Range(1, 16)]
    public int MaxLoaded { get; init; } = 2;

    /// <summary>
    /// How long a version whose files are damaged is not downloaded again while the files are the same ones: 400 MB each
    /// interval of 15 s would be a waste, and a fault on the way from storage is gone by then.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RetryDamagedAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Where downloads go until they are loaded; null takes the system's temporary folder.</summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>What must stay free on that disk beside the download.</summary>
    [Range(0, 1L << 40)]
    public long SpareBytes { get; init; } = 64 * 1024 * 1024;
}

/// <summary>The models in this host's memory.</summary>
/// <param name="Version">The version that answers for the live model here; null before the first one is loaded.</param>
/// <param name="Digest">The SHA-256 of its manifest.</param>
/// <param name="LoadedAt">When it was loaded.</param>
/// <param name="RowsServed">Reviews classified on this host, by all versions.</param>
/// <param name="LastServed">When the last one was.</param>
/// <param name="LastError">Why a version or the pointer could not be taken; null once the live one is.</param>
/// <param name="InMemory">Every version in memory.</param>
public sealed record ModelCacheStatus(
    string? Version, string? Digest, DateTimeOffset? LoadedAt, long RowsServed, DateTimeOffset? LastServed, string? LastError,
        IReadOnlyList<string> InMemory);
