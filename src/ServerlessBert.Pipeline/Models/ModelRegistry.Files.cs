using System.Security.Cryptography;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelRegistry
{
    // Weights are safetensors only; a pickle or a stray file beside them is not part of a version.
    private static readonly string[] PublishedEndings = [".safetensors", ".json", ".txt", ".md", ".html"];

    /// <summary>
    /// Publishes a checkpoint folder as a new version: every file under If-None-Match, the manifest last. The version
    /// is not live until it is promoted. A repeated call with the same <paramref name="created"/> completes an upload
    /// that was interrupted.
    /// </summary>
    /// <param name="folder">A folder with model.safetensors, config.json, the vocabulary and whatever describes it.</param>
    /// <param name="created">When the version was made, which becomes its name; null takes now.</param>
    /// <param name="cancellationToken">Ends the upload; what was uploaded stays, without a manifest.</param>
    /// <returns>The version's manifest.</returns>
    /// <exception cref="ModelUnavailableException">The folder lacks a file that a model needs, or other content stands under
    /// that version.</exception>
    /// <exception cref="UnwritableBlobException">Something holds one of the blobs.</exception>
    public async Task<ModelManifest> PublishAsync(
        string folder, DateTimeOffset? created = null, CancellationToken cancellationToken = default)
    {
        var files = await BlobFolder.DescribeAsync(PathsOf(folder), cancellationToken);
        if (files.FirstOrDefault(file => !file.IsPlain) is { } odd)
            throw new ModelUnavailableException(
                $"The file name \"{odd.Name}\" cannot be published; use letters, digits, dots, dashes and underscores.");

        string weights = files.Single(file => file.Name == ModelManifest.Weights).Sha256;
        var when = created ?? time.GetUtcNow();
        var manifest = new ModelManifest
        {
            Version = ModelVersion.Name(when, weights),
            Created = new DateTimeOffset(when.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero),
            Files = files,
        };
        byte[] bytes = manifest.ToBytes();
        string? other = await Folder(manifest.Version).PublishAsync(folder, files, new BinaryData(bytes), cancellationToken);
        if (other is not null)
            throw new ModelUnavailableException(
                $"Model {manifest.Version} has another {other} already, and a version never changes; publish again to get a new "
                + "version.");
        return manifest with { Digest = Convert.ToHexStringLower(SHA256.HashData(bytes)) };
    }

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
        if (await TryDownloadAsync(manifest, folder, cancellationToken) is { } problem)
            throw new ModelUnavailableException(Sentence(manifest.Version, problem));
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
                string path = Path.Combine(folder, file.Name);
                if (await Folder(version).DownloadAsync(file, path, cancellationToken) is { } problem)
                    problems.Add(Sentence(version, problem));
                File.Delete(path);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return problems;
    }

    /// <summary>Downloads the files of a manifest into a folder and checks every file's length and hash.</summary>
    /// <returns>What is wrong with the first file that is not as the manifest says; null where all are.</returns>
    internal Task<FolderProblem?> TryDownloadAsync(ModelManifest manifest, string folder, CancellationToken cancellationToken = default) =>
        Folder(manifest.Version).DownloadAsync(manifest.Files, folder, cancellationToken);

    /// <summary>The ETag of each file that stands under a version, by name.</summary>
    internal async Task<IReadOnlyDictionary<string, string>> ListFilesAsync(string version, CancellationToken cancellationToken = default)
    {
        string prefix = ModelVersion.Checked(version) + "/";
        var etags = new Dictionary<string, string>();
        await foreach (var blob in _models.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
            etags[blob.Name[prefix.Length..]] = blob.Properties.ETag is { } etag ? ETags.Unquote(etag) : "";
        return etags;
    }

    internal static string Sentence(string version, FolderProblem problem) =>
        $"{problem.File} of model {version} {problem.Detail}; publish the model again.";

    private static string[] PathsOf(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelUnavailableException($"There is no folder {folder} to publish.");
        string[] paths =
        [
            .. Directory.EnumerateFiles(folder)
                .Where(path => Path.GetFileName(path) is var name && name != ModelManifest.FileName && name[0] != '.'
                    && PublishedEndings.Contains(Path.GetExtension(name)))
                .Order(StringComparer.Ordinal),
        ];
        string[] names = [.. paths.Select(path => Path.GetFileName(path))];
        foreach (string needed in new[] { ModelManifest.Weights, "config.json" })
        {
            if (!names.Contains(needed))
                throw new ModelUnavailableException(
                    $"{folder} has no {needed}: publish a checkpoint folder as Hugging Face's save_pretrained or sbert train "
                    + "writes it.");
        }
        if (!names.Contains("vocab.txt") && !names.Contains("tokenizer.json"))
            throw new ModelUnavailableException(
                $"{folder} has neither vocab.txt nor tokenizer.json: copy the tokenizer's files beside the weights.");
        return paths;
    }
}
