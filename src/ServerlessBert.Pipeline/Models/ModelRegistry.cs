using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// Model versions in the models container: folders that never change, and current.json, which points at one. Reading
/// is here; <c>ModelRegistry.Files.cs</c> publishes and downloads, <c>ModelRegistry.Pointer.cs</c> moves the pointer.
/// </summary>
public sealed partial class ModelRegistry(PipelineStorage storage, TimeProvider time)
{
    private readonly BlobContainerClient _models = storage.Container(StorageNames.Models);

    /// <summary>The registry on the system's clock.</summary>
    public ModelRegistry(PipelineStorage storage) : this(storage, TimeProvider.System) { }

    /// <summary>All versions, the newest first, incomplete ones too.</summary>
    public async Task<IReadOnlyList<PublishedModel>> ListAsync(CancellationToken cancellationToken = default)
    {
        // Where the pointer cannot be read, the listing is what helps to replace it.
        var pointer = (await ReadPointerAsync(null, cancellationToken)).Value;
        var files = new List<(string Version, string Name, BlobItemProperties Properties)>();
        await foreach (var blob in _models.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (blob.Name.Split('/') is [var version, var name] && ModelVersion.IsValid(version))
                files.Add((version, name, blob.Properties));
        }
        return
        [
            .. files.GroupBy(file => file.Version)
                .Select(version => new PublishedModel(
                    version.Key,
                    version.Key == pointer?.Version,
                    version.Any(file => file.Name == ModelManifest.FileName),
                    version.Sum(file => file.Properties.ContentLength ?? 0),
                    version.Max(file => file.Properties.LastModified))
                {
                    Role = pointer?.RoleOf(version.Key) ?? ModelRole.None,
                })
                .OrderByDescending(model => model.Version, StringComparer.Ordinal),
        ];
    }

    /// <summary>A version's manifest, training.json and metrics.json, and what it is at present.</summary>
    /// <exception cref="ModelUnavailableException">The version is absent or incomplete.</exception>
    public async Task<ModelDescription> ShowAsync(string version, CancellationToken cancellationToken = default)
    {
        var manifest = await ReadManifestAsync(version, cancellationToken);
        var pointer = (await ReadPointerAsync(null, cancellationToken)).Value;
        return new(
            manifest,
            pointer?.Version == version,
            await TryReadDocumentAsync(version, "training.json", cancellationToken),
            await TryReadDocumentAsync(version, "metrics.json", cancellationToken))
        {
            Role = pointer?.RoleOf(version) ?? ModelRole.None,
            Parent = await ParentOfAsync(version, cancellationToken),
        };
    }

    /// <summary>The version that a version was trained from, or null where its training.json names none.</summary>
    internal async Task<string?> ParentOfAsync(string version, CancellationToken cancellationToken) =>
        await TryReadDocumentAsync(version, "training.json", cancellationToken) is { ValueKind: JsonValueKind.Object } training
        && training.TryGetProperty("parent", out var parent) && parent.ValueKind == JsonValueKind.String ? parent.GetString() : null;

    /// <summary>A version's manifest.</summary>
    /// <exception cref="ModelUnavailableException">The version is absent or incomplete.</exception>
    public async Task<ModelManifest> ReadManifestAsync(string version, CancellationToken cancellationToken = default)
    {
        var reading = await Folder(version).ReadManifestAsync<ModelManifest>(cancellationToken);
        if (reading.Damage is { } damage) throw new ModelUnavailableException(
            $"The manifest of model {version} cannot be read: {damage} Publish the model again.");
        return reading.Value is { } manifest
            ? manifest.Checked(version, reading.Content!)
            : throw new ModelUnavailableException(
                $"Model {version} is not in the {StorageNames.Models} container, or its upload was interrupted "
                + $"(it has no {ModelManifest.FileName}); publish it again, or choose one of: sbert models list");
    }

    /// <summary>A JSON document of a version, or null where it has none.</summary>
    /// <exception cref="ModelUnavailableException">It is damaged.</exception>
    public async Task<JsonElement?> TryReadDocumentAsync(string version, string file, CancellationToken cancellationToken = default)
    {
        var content = await _models.GetBlobClient($"{ModelVersion.Checked(version)}/{file}").TryDownloadAsync(cancellationToken);
        if (content is null) return null;
        try
        {
            using var document = JsonDocument.Parse(content.Content.ToMemory());
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new ModelUnavailableException($"{file} of model {version} is not JSON: {exception.Message}", exception);
        }
    }

    private BlobFolder Folder(string version) => new(_models, ModelVersion.Checked(version));
}
