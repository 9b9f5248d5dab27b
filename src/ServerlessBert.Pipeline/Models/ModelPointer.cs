namespace ServerlessBert.Pipeline.Models;

/// <summary>current.json: which version is live, since when and why, and what was live before.</summary>
public sealed record ModelPointer
{
    /// <summary>The blob's name.</summary>
    public const string FileName = "current.json";

    /// <summary>The live version.</summary>
    public required string Version { get; init; }

    /// <summary>The SHA-256 of its manifest.json.</summary>
    public required string ManifestSha256 { get; init; }

    /// <summary>When it became live.</summary>
    public required DateTimeOffset Promoted { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The versions that were live before, the last one first.</summary>
    public IReadOnlyList<PastModel> History { get; init; } = [];

    /// <summary>The version that a rollback returns to: the last one that was not itself rolled back.</summary>
    public string? Previous => History.FirstOrDefault(past => !past.RolledBack && past.Version != Version)?.Version;
}

/// <summary>A version that was live.</summary>
/// <param name="Version">Its name.</param>
/// <param name="Promoted">When it became live.</param>
/// <param name="Replaced">When it ceased to be.</param>
/// <param name="Reason">Why it became live.</param>
/// <param name="RolledBack">Whether it was given up by a rollback, so that another rollback does not return to it.</param>
public sealed record PastModel(string Version, DateTimeOffset Promoted, DateTimeOffset Replaced, string Reason, bool RolledBack = false);
