using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Pipeline.Models;

/// <summary>A row of the registry's listing.</summary>
/// <param name="Version">The version's name.</param>
/// <param name="IsLive">Whether current.json points at it.</param>
/// <param name="IsComplete">Whether its manifest is there; without it a publishing is under way or was interrupted.</param>
/// <param name="Bytes">Bytes of its files.</param>
/// <param name="Published">When its last file was written.</param>
public sealed record PublishedModel(string Version, bool IsLive, bool IsComplete, long Bytes, DateTimeOffset? Published)
{
    /// <summary>What it is at present.</summary>
    public ModelRole Role { get; init; }
}

/// <summary>What is known of one version.</summary>
/// <param name="Manifest">Its files.</param>
/// <param name="IsLive">Whether it is the live one.</param>
/// <param name="Training">training.json, where it was trained by this project.</param>
/// <param name="Metrics">metrics.json, where it was evaluated.</param>
public sealed record ModelDescription(ModelManifest Manifest, bool IsLive, JsonElement? Training, JsonElement? Metrics)
{
    /// <summary>What it is at present.</summary>
    public ModelRole Role { get; init; }

    /// <summary>The version that it was trained from, or null.</summary>
    public string? Parent { get; init; }
}

/// <summary>What a published version is at present.</summary>
public enum ModelRole
{
    /// <summary>Published, no more.</summary>
    None,

    /// <summary>It answers.</summary>
    Live,

    /// <summary>It was live before; a rollback returns to it.</summary>
    Previous,

    /// <summary>It runs beside the live one on a share of the batches, and its stars are only compared.</summary>
    Shadow,

    /// <summary>Its files are being deleted.</summary>
    [JsonStringEnumMemberName("retired")]
    Pruned,
}
