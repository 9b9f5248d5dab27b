using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// current.json: which version is live, since when and why, what was live before, what runs in shadow, and what is
/// being pruned. All of it is one document, so that its If-Match puts promotions, rollbacks and prunings in order.
/// </summary>
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

    /// <summary>The version that runs in shadow, or null.</summary>
    public ModelShadow? Shadow { get; init; }

    /// <summary>Versions that are pruned: their manifests are deleted, their files follow. None of them goes live again.</summary>
    [JsonPropertyName("retired")]
    public IReadOnlyList<PrunedModel> Pruned { get; init; } = [];

    /// <summary>The version that a rollback returns to: the last one that was not itself rolled back.</summary>
    public string? Previous => History.FirstOrDefault(past => !past.RolledBack && past.Version != Version)?.Version;

    /// <summary>
    /// Which versions may answer, best first: the live one, then those that were live before and were neither rolled back nor
    /// pruned.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> Servable =>
        [.. History.Where(past => !past.RolledBack)
            .Select(past => past.Version).Prepend(Version).Except(Pruned.Select(pruned => pruned.Version))];

    /// <summary>What a version is at present.</summary>
    public ModelRole RoleOf(string version) =>
        version == Version ? ModelRole.Live
        : version == Shadow?.Version ? ModelRole.Shadow
        : version == Previous ? ModelRole.Previous
        : Pruned.Any(pruned => pruned.Version == version) ? ModelRole.Pruned
        : ModelRole.None;
}

/// <summary>A version that was live.</summary>
/// <param name="Version">Its name.</param>
/// <param name="Promoted">When it became live.</param>
/// <param name="Replaced">When it ceased to be.</param>
/// <param name="Reason">Why it became live.</param>
/// <param name="RolledBack">Whether a rollback left it, so that another rollback does not return to it.</param>
public sealed record PastModel(string Version, DateTimeOffset Promoted, DateTimeOffset Replaced, string Reason, bool RolledBack = false);

/// <summary>A version that is pruned.</summary>
/// <param name="Version">Its name.</param>
/// <param name="At">When it was marked; its files go after the grace period.</param>
public sealed record PrunedModel(string Version, DateTimeOffset At);

/// <summary>A look at current.json.</summary>
internal static class PointerReading
{
    /// <summary>The pointer, or null where there is none, or it is unchanged.</summary>
    /// <exception cref="ModelUnavailableException">It is damaged.</exception>
    public static ModelPointer? IntactPointer(this JsonReading<ModelPointer> reading) => reading.Damage is null
        ? reading.Value
        : throw new ModelUnavailableException(
            $"The pointer to the live model cannot be read: {reading.Damage.TrimEnd('.')}; replace it with: sbert models promote "
            + "VERSION");
}

/// <summary>A version that runs beside the live one on a share of the batches.</summary>
/// <param name="Version">Its name.</param>
/// <param name="Share">The share of batches, above 0 and at most 1.</param>
/// <param name="Since">When it was set.</param>
public sealed record ModelShadow(string Version, double Share, DateTimeOffset Since)
{
    /// <summary>
    /// Whether it runs on a batch: a function of run and index alone, so that a message delivered twice means the same twice.
    /// </summary>
    /// <param name="run">The run's id.</param>
    /// <param name="batch">The batch's index.</param>
    public bool Takes(string run, int batch)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{run}\n{batch}"));
        // The top 53 bits, as many as a double holds exactly: evenly spread over [0, 1).
        double place = (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
        return place < Share;
    }
}
