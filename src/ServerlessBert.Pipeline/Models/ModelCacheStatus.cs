namespace ServerlessBert.Pipeline.Models;

/// <summary>The models in this host's memory.</summary>
/// <param name="Version">The version that answers for the live model here; null before the first one is loaded.</param>
/// <param name="Digest">The SHA-256 of its manifest.</param>
/// <param name="LoadedAt">When it was loaded.</param>
/// <param name="RowsServed">Reviews classified on this host, by all versions.</param>
/// <param name="LastServed">When the last one was.</param>
/// <param name="LastError">Why a version or the pointer could not be taken; null once the live one is.</param>
/// <param name="InMemory">Every version in memory.</param>
public sealed record ModelCacheStatus(
    string? Version, string? Digest, DateTimeOffset? LoadedAt, long RowsServed, DateTimeOffset? LastServed, string? LastError, IReadOnlyList<string> InMemory);
