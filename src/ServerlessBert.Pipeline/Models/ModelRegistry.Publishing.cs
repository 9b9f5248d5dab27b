using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;

namespace ServerlessBert.Pipeline.Models;

public sealed partial class ModelRegistry
{
    // Weights are safetensors only; a pickle or a stray file beside them is not part of a version.
    private static readonly string[] PublishedEndings = [".safetensors", ".json", ".txt", ".md", ".html"];

    private const string HashMetadata = "sha256";

    /// <summary>
    /// Publishes a checkpoint folder as a new version: every file under If-None-Match, the manifest last. The version
    /// is not live until it is promoted. A repeated call with the same <paramref name="created"/> completes an upload
    /// that was cut off.
    /// </summary>
    /// <param name="folder">A folder with model.safetensors, config.json, the vocabulary and whatever describes it.</param>
    /// <param name="created">When the version was made, which becomes its name; null takes now.</param>
    /// <param name="cancellationToken">Ends the upload; what was uploaded stays, without a manifest.</param>
    /// <returns>The version's manifest.</returns>
    /// <exception cref="ModelUnavailableException">The folder lacks a file that a model needs, or other content stands under that version.</exception>
    public async Task<ModelManifest> PublishAsync(string folder, DateTimeOffset? created = null, CancellationToken cancellationToken = default)
    {
        string[] paths = FilesOf(folder);
        var files = new List<ModelFile>();
        foreach (string path in paths) files.Add(await DescribeAsync(path, cancellationToken));

        string weights = files.Single(file => file.Name == ModelFile.Weights).Sha256;
        var when = created ?? time.GetUtcNow();
        var manifest = new ModelManifest
        {
            Version = ModelVersion.Name(when, weights),
            Created = new DateTimeOffset(when.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero),
            Files = files,
        };
        foreach (var (path, file) in paths.Zip(files))
        {
            await using var content = System.IO.File.OpenRead(path);
            await UploadOnceAsync(manifest.Version, file.Name, content, file.Sha256, cancellationToken);
        }
        byte[] bytes = manifest.ToBytes();
        string digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        await UploadOnceAsync(manifest.Version, ModelManifest.FileName, new MemoryStream(bytes), digest, cancellationToken);
        return manifest with { Digest = digest };
    }

    private static string[] FilesOf(string folder)
    {
        if (!Directory.Exists(folder)) throw new ModelUnavailableException($"There is no folder {folder} to publish.");
        string[] paths =
        [
            .. Directory.EnumerateFiles(folder)
                .Where(path => Path.GetFileName(path) is var name && name != ModelManifest.FileName && name[0] != '.' && PublishedEndings.Contains(Path.GetExtension(name)))
                .Order(StringComparer.Ordinal),
        ];
        string[] names = [.. paths.Select(path => Path.GetFileName(path))];
        foreach (string needed in new[] { ModelFile.Weights, "config.json" })
        {
            if (!names.Contains(needed)) throw new ModelUnavailableException($"{folder} has no {needed}: publish a checkpoint folder as Hugging Face's save_pretrained or sbert train writes it.");
        }
        if (!names.Contains("vocab.txt") && !names.Contains("tokenizer.json"))
            throw new ModelUnavailableException($"{folder} has neither vocab.txt nor tokenizer.json: copy the tokenizer's files beside the weights.");
        return paths;
    }

    private static async Task<ModelFile> DescribeAsync(string path, CancellationToken cancellationToken)
    {
        await using var content = System.IO.File.OpenRead(path);
        byte[] hash = await SHA256.HashDataAsync(content, cancellationToken);
        var file = new ModelFile(Path.GetFileName(path), content.Length, Convert.ToHexStringLower(hash));
        return file.IsPlain ? file : throw new ModelUnavailableException($"The file name \"{file.Name}\" cannot be published; use letters, digits, dots, dashes and underscores.");
    }

    private async Task UploadOnceAsync(string version, string name, Stream content, string sha256, CancellationToken cancellationToken)
    {
        var blob = File(version, name);
        try
        {
            await blob.UploadAsync(content, new BlobUploadOptions
            {
                Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
                Metadata = new Dictionary<string, string> { [HashMetadata] = sha256 },
            }, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.Status is 409 or 412)
        {
            BlobProperties there = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            if (there.Metadata.TryGetValue(HashMetadata, out string? hash) && hash == sha256) return;
            throw new ModelUnavailableException($"Model {version} has another {name} already, and a version never changes; publish again to get a new version.", exception);
        }
    }
}
