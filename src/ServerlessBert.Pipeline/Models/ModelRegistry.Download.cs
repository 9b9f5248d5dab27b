using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelRegistry
{
    // Parts of 8 MiB, four at a time: one connection does not fill the network that a host has.
    private static readonly Azure.Storage.StorageTransferOptions Parallel = new() { MaximumConcurrency = 4, MaximumTransferSize = 8 * 1024 * 1024 };

    /// <summary>Downloads a version into a folder and checks every file's length and hash.</summary>
    /// <exception cref="ModelUnavailableException">The version is absent, incomplete or damaged.</exception>
    public async Task<ModelManifest> DownloadAsync(string version, string folder, CancellationToken cancellationToken = default)
    {
        var manifest = await ReadManifestAsync(version, cancellationToken);
        await DownloadAsync(manifest, folder, cancellationToken);
        return manifest;
    }

    /// <summary>Downloads the files of a manifest into a folder and checks every file's length and hash.</summary>
    /// <exception cref="ModelUnavailableException">A file is absent or damaged.</exception>
    public async Task DownloadAsync(ModelManifest manifest, string folder, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in manifest.Files)
        {
            string path = Path.Combine(folder, file.Name);
            if (await ProblemOfAsync(manifest.Version, file, path, cancellationToken) is { } problem) throw new ModelUnavailableException(problem);
        }
    }

    /// <summary>Downloads every file of a version and compares its hash.</summary>
    /// <returns>A sentence for each file that is not as the manifest says; none when the version is whole.</returns>
    /// <exception cref="ModelUnavailableException">The version is absent or incomplete.</exception>
    public async Task<IReadOnlyList<string>> VerifyAsync(string version, CancellationToken cancellationToken = default)
    {
        var manifest = await ReadManifestAsync(version, cancellationToken);
        var problems = new List<string>();
        string folder = Directory.CreateTempSubdirectory("sbert-verify-").FullName;
        try
        {
            foreach (var file in manifest.Files)
            {
                if (await ProblemOfAsync(version, file, Path.Combine(folder, file.Name), cancellationToken) is { } problem) problems.Add(problem);
                System.IO.File.Delete(Path.Combine(folder, file.Name));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return problems;
    }

    private async Task<string?> ProblemOfAsync(string version, ModelFile file, string path, CancellationToken cancellationToken)
    {
        try
        {
            await File(version, file.Name).DownloadToAsync(path, new BlobDownloadToOptions { TransferOptions = Parallel }, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return $"{file.Name} of model {version} is missing from storage; publish the model again.";
        }
        await using var content = System.IO.File.OpenRead(path);
        if (content.Length != file.Length) return $"{file.Name} of model {version} has {content.Length:N0} bytes and not {file.Length:N0}; publish the model again.";
        string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        return hash == file.Sha256 ? null : $"{file.Name} of model {version} is damaged: its SHA-256 is {hash} and not {file.Sha256}; publish the model again.";
    }
}
