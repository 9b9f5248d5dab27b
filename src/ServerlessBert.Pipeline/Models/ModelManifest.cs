using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// manifest.json: every file of a version with its length and hash. Written last, so that where it stands the version is whole.
/// </summary>
public sealed record ModelManifest
{
    /// <summary>The file's name in the version's folder.</summary>
    public const string FileName = BlobFolder.ManifestName;

    /// <summary>The weights' name.</summary>
    public const string Weights = "model.safetensors";

    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>The version's name.</summary>
    public required string Version { get; init; }

    /// <summary>When it was published.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The files, by name.</summary>
    public required IReadOnlyList<FolderFile> Files { get; init; }

    /// <summary>The SHA-256 of the manifest's own bytes; the pointer names it, so that the pointer vouches for every byte.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Digest { get; init; } = "";

    /// <summary>Bytes of all files together.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Length => Files.Sum(file => file.Length);

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, PipelineJson.Of<ModelManifest>());

    /// <summary>The manifest with its digest, after a check that it is that version's and that its file names are plain.</summary>
    /// <param name="version">The version in whose folder it stands.</param>
    /// <param name="bytes">Its own bytes.</param>
    /// <exception cref="ModelUnavailableException">It is not a manifest of that version.</exception>
    internal ModelManifest Checked(string version, BinaryData bytes)
    {
        if (Version != version) throw new ModelUnavailableException(
            $"The manifest of model {version} names version \"{Version}\"; publish the model again.");
        if (!Files.All(file => file is { IsPlain: true }))
        {
            string? odd = Files.FirstOrDefault(file => file is { IsPlain: false })?.Name;
            throw new ModelUnavailableException(
                $"The manifest of model {version} has a file named \"{odd}\", which is not a plain name; do not use this version.");
        }
        return this with { Digest = Convert.ToHexStringLower(SHA256.HashData(bytes.ToMemory().Span)) };
    }
}

/// <summary>
/// A version's name: when it was published and the start of its weights' SHA-256, as in
/// <c>20261122T101500Z-3fa9c1</c>. Names sort by time, and say at a look whether two versions have the same weights.
/// </summary>
public static partial class ModelVersion
{
    private const int HashDigits = 6;

    /// <summary>The name of a version.</summary>
    /// <param name="created">When it was made; to the second.</param>
    /// <param name="weightsSha256">The SHA-256 of model.safetensors, lower-case hexadecimal.</param>
    public static string Name(DateTimeOffset created, string weightsSha256) =>
        created.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + "-" + weightsSha256[..HashDigits];

    /// <summary>Whether it has the form of a version's name; nothing else may become part of a path.</summary>
    public static bool IsValid(string? name) => name is not null && Form().IsMatch(name);

    /// <summary>The name, after a check of its form.</summary>
    /// <exception cref="ModelUnavailableException">It has another form.</exception>
    public static string Checked(string? name) => IsValid(name)
        ? name!
        : throw new ModelUnavailableException(
            $"\"{name}\" is not the name of a model version, which looks like 20261122T101500Z-3fa9c1; list them with: sbert "
            + "models list");

    [GeneratedRegex(@"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}\z")]
    private static partial Regex Form();
}
