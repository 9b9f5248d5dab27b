using System.Security.Cryptography;
using System.Text.Json;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// Copies of local folders in the trainings container, whole or absent: the files first, then a manifest with their
/// lengths and hashes, so that a copy that was cut off has none.
/// </summary>
internal sealed class StoredFolders(PipelineStorage storage)
{
    private const string ManifestName = "manifest.json";

    // Parts of 8 MiB, four at a time, as for models.
    private static readonly StorageTransferOptions Parallel = new() { MaximumConcurrency = 4, MaximumTransferSize = 8 * 1024 * 1024 };

    private readonly BlobContainerClient _trainings = storage.Container(StorageNames.Trainings);

    /// <summary>Copies a folder's files, those of its own level, to <paramref name="place"/>.</summary>
    public async Task UploadAsync(string place, string folder, CancellationToken cancellationToken)
    {
        // A copy under this name that is replaced must not be taken for whole meanwhile.
        await File(place, ManifestName).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        var files = new List<ModelFile>();
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            await using FileStream content = System.IO.File.OpenRead(path);
            string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
            content.Position = 0;
            files.Add(new ModelFile(Path.GetFileName(path), content.Length, hash));
            await File(place, files[^1].Name).UploadAsync(content, new BlobUploadOptions { TransferOptions = Parallel }, cancellationToken);
        }
        var manifest = new BinaryData(JsonSerializer.SerializeToUtf8Bytes(new FolderManifest(files), PipelineJson.Of<FolderManifest>()));
        await File(place, ManifestName).UploadAsync(manifest, overwrite: true, cancellationToken);
    }

    /// <summary>Names of the copies under <paramref name="place"/> that are whole by their manifest.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string place, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (BlobItem blob in _trainings.GetBlobsAsync(new GetBlobsOptions { Prefix = place + "/" }, cancellationToken))
        {
            if (blob.Name[(place.Length + 1)..].Split('/') is [var name, ManifestName]) names.Add(name);
        }
        return names;
    }

    /// <summary>Brings a copy into a local folder, which is made under a temporary name and renamed when every hash was right.</summary>
    /// <returns>Null when it is there; else one sentence that says what is wrong with the copy.</returns>
    public async Task<string?> DownloadAsync(string place, string folder, CancellationToken cancellationToken)
    {
        if (await File(place, ManifestName).TryDownloadAsync(cancellationToken) is not { } found) return $"{place} has no {ManifestName}: its upload was cut off.";
        string partial = folder + ".partial";
        Directory.CreateDirectory(partial);
        try
        {
            FolderManifest? manifest = JsonSerializer.Deserialize(found.Content.ToMemory().Span, PipelineJson.Of<FolderManifest>());
            if (manifest is null || manifest.Files.Any(file => !file.IsPlain)) return $"{place} has a {ManifestName} that does not name plain files.";
            foreach (ModelFile file in manifest.Files)
            {
                if (await ProblemOfAsync(place, file, Path.Combine(partial, file.Name), cancellationToken) is { } problem) return problem;
            }
            Directory.Move(partial, folder);
            return null;
        }
        catch (JsonException exception)
        {
            return $"{place} has a {ManifestName} that cannot be read: {exception.Message}";
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    /// <summary>Deletes everything under <paramref name="place"/>, manifests first.</summary>
    public async Task DeleteAsync(string place, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (BlobItem blob in _trainings.GetBlobsAsync(new GetBlobsOptions { Prefix = place + "/" }, cancellationToken)) names.Add(blob.Name);
        foreach (string name in names.OrderByDescending(name => name.EndsWith("/" + ManifestName, StringComparison.Ordinal)))
            await _trainings.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancellationToken);
    }

    private async Task<string?> ProblemOfAsync(string place, ModelFile file, string path, CancellationToken cancellationToken)
    {
        try
        {
            await File(place, file.Name).DownloadToAsync(path, new BlobDownloadToOptions { TransferOptions = Parallel }, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return $"{place}/{file.Name} is missing.";
        }
        await using FileStream content = System.IO.File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken)) == file.Sha256 ? null : $"{place}/{file.Name} is damaged: its SHA-256 is not the manifest's.";
    }

    private BlobClient File(string place, string name) => _trainings.GetBlobClient($"{place}/{name}");
}

/// <summary>What a folder's copy holds.</summary>
/// <param name="Files">Its files.</param>
internal sealed record FolderManifest(IReadOnlyList<ModelFile> Files);
