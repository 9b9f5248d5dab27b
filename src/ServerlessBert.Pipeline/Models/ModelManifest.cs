using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>manifest.json: every file of a version with its length and hash. Written last, so that where it stands the version is whole.</summary>
public sealed record ModelManifest
{
    /// <summary>The file's name in the version's folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>The version's name.</summary>
    public required string Version { get; init; }

    /// <summary>When it was published.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The files, by name.</summary>
    public required IReadOnlyList<ModelFile> Files { get; init; }

    /// <summary>The SHA-256 of the manifest's own bytes; the pointer names it, so that the pointer vouches for every byte.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Digest { get; init; } = "";

    /// <summary>Bytes of all files together.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Length => Files.Sum(file => file.Length);

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, PipelineJson.Of<ModelManifest>());

    /// <summary>Reads a version's manifest and checks that it is that version's and that its file names are plain.</summary>
    /// <exception cref="ModelUnavailableException">It is not a manifest of that version.</exception>
    internal static ModelManifest Read(BinaryData bytes, string version)
    {
        ModelManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(bytes.ToMemory().Span, PipelineJson.Of<ModelManifest>());
        }
        catch (JsonException exception)
        {
            throw new ModelUnavailableException($"The manifest of model {version} cannot be read: {exception.Message} Publish the model again.", exception);
        }
        if (manifest?.Version != version) throw new ModelUnavailableException($"The manifest of model {version} names version \"{manifest?.Version}\"; publish the model again.");
        if (manifest.Files.FirstOrDefault(file => !file.IsPlain) is { } odd)
            throw new ModelUnavailableException($"The manifest of model {version} has a file named \"{odd.Name}\", which is not a plain name; do not use this version.");
        return manifest with { Digest = Convert.ToHexStringLower(SHA256.HashData(bytes.ToMemory().Span)) };
    }
}

/// <summary>One file of a version.</summary>
/// <param name="Name">Its name, without folders.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256, lower-case hexadecimal.</param>
public sealed record ModelFile(string Name, long Length, string Sha256)
{
    /// <summary>The weights' name.</summary>
    public const string Weights = "model.safetensors";

    // A name goes into local paths: no folders, no drive, no "..".
    internal bool IsPlain => Name.Length is > 0 and < 200 && Name[0] != '.' && Name.All(symbol => char.IsAsciiLetterOrDigit(symbol) || symbol is '.' or '_' or '-');
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
        : throw new ModelUnavailableException($"\"{name}\" is not the name of a model version, which looks like 20261122T101500Z-3fa9c1; list them with: sbert models list");

    [GeneratedRegex(@"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}\z")]
    private static partial Regex Form();
}
