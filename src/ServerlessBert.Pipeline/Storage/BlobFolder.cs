using System.Security.Cryptography;
using System.Text.Json;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>
/// A folder of files in a container, whole or absent: a manifest with every file's length and hash says that it is
/// there.
/// </summary>
/// <remarks>
/// <para>
/// Concurrency. The manifest is written when every file is, and deleted before any file is replaced or deleted. So where
/// a manifest stands, the files that it names once stood beside it with those hashes; whoever dies in between leaves no
/// manifest, and the folder is absent. A reader checks each file against the manifest that it read first: one that was
/// replaced or deleted under its hands has another hash or is missing, and the reader says so instead of mixing two.
/// </para>
/// <para>
/// A published folder never changes: each file goes up under If-None-Match, so of two publishers with the same bytes both
/// succeed, and one with other bytes is refused.
/// </para>
/// </remarks>
/// <param name="container">Where it is.</param>
/// <param name="path">Its path, without a slash at its end.</param>
public sealed class BlobFolder(BlobContainerClient container, string path)
{
    /// <summary>The manifest's name in the folder.</summary>
    public const string ManifestName = "manifest.json";

    private const string HashMetadata = "sha256";

    // Parts of 8 MiB, four at a time: one connection does not fill the network that a host has.
    private static readonly StorageTransferOptions Parallel = new() { MaximumConcurrency = 4, MaximumTransferSize = 8 * 1024 * 1024 };

    /// <summary>The folder's path in its container.</summary>
    public string Path => path;

    /// <summary>Names of the folders right under a place that are whole by their manifest.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(BlobContainerClient container, string place,
        CancellationToken cancellationToken = default)
    {
        string prefix = place.Length == 0 ? "" : place + "/";
        var names = new List<string>();
        await foreach (BlobItem blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
        {
            if (blob.Name[prefix.Length..].Split('/') is [var name, ManifestName]) names.Add(name);
        }
        return names;
    }

    /// <summary>Hashes local files.</summary>
    public static async Task<IReadOnlyList<FolderFile>> DescribeAsync(IEnumerable<string> paths,
        CancellationToken cancellationToken = default)
    {
        var files = new List<FolderFile>();
        foreach (string file in paths)
        {
            await using var content = File.OpenRead(file);
            string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
            files.Add(new FolderFile(System.IO.Path.GetFileName(file), content.Length, hash));
        }
        return files;
    }

    /// <summary>Uploads files that will never change, then their manifest. Again with the same bytes completes what was cut off.</summary>
    /// <param name="local">The local folder that holds them.</param>
    /// <param name="files">The files, from <see cref="DescribeAsync"/>.</param>
    /// <param name="manifest">The manifest's bytes.</param>
    /// <param name="cancellationToken">Ends the upload, without a manifest.</param>
    /// <returns>Null; or the name of a file that stands there with other bytes.</returns>
    /// <exception cref="UnwritableBlobException">Something holds one of the blobs.</exception>
    public async Task<string?> PublishAsync(string local, IReadOnlyList<FolderFile> files, BinaryData manifest,
        CancellationToken cancellationToken = default)
    {
        foreach (FolderFile file in files)
        {
            await using var content = File.OpenRead(System.IO.Path.Combine(local, file.Name));
            if (!await CreateAsync(file.Name, content, file.Sha256, cancellationToken)) return file.Name;
        }
        string hash = Convert.ToHexStringLower(SHA256.HashData(manifest.ToMemory().Span));
        return await CreateAsync(ManifestName, manifest.ToStream(), hash, cancellationToken) ? null : ManifestName;
    }

    /// <summary>Puts a local folder's files, those of its own level, in the place of what is there.</summary>
    /// <exception cref="UnwritableBlobException">Something holds one of the blobs.</exception>
    public async Task ReplaceAsync(string local, CancellationToken cancellationToken = default)
    {
        await BlobOf(ManifestName).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        string[] paths = [.. Directory.EnumerateFiles(local).Order(StringComparer.Ordinal)];
        var files = await DescribeAsync(paths, cancellationToken);
        foreach (var (file, description) in paths.Zip(files))
        {
            await using var content = File.OpenRead(file);
            await UploadAsync(description.Name, content, new BlobUploadOptions { TransferOptions = Parallel }, cancellationToken);
        }
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(new FolderManifest(files), PipelineJson.Of<FolderManifest>());
        await UploadAsync(ManifestName, new MemoryStream(manifest), new BlobUploadOptions(), cancellationToken);
    }

    /// <summary>The manifest as a document of the caller's own form, such as <see cref="FolderManifest"/>.</summary>
    public Task<JsonReading<T>> ReadManifestAsync<T>(CancellationToken cancellationToken = default)
        where T : class => new JsonBlob<T>(BlobOf(ManifestName)).ReadAsync(null, cancellationToken);

    /// <summary>Brings files into a local folder, and checks length and hash of each.</summary>
    /// <param name="files">The files as a manifest names them.</param>
    /// <param name="local">A folder; made where it is missing.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <returns>What is wrong with the first file that is not as the manifest says; null where all are.</returns>
    /// <exception cref="IOException">The local folder does not take them.</exception>
    public async Task<FolderProblem?> DownloadAsync(IEnumerable<FolderFile> files, string local,
        CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(local);
        foreach (FolderFile file in files)
        {
            if (!file.IsPlain) return new FolderProblem(file.Name, FolderDamage.OddName, "does not have a plain name", null);
            if (await DownloadAsync(file, System.IO.Path.Combine(local, file.Name), cancellationToken) is { } problem) return problem;
        }
        return null;
    }

    /// <summary>Brings one file, and checks its length and hash.</summary>
    /// <returns>What is wrong with it; null where nothing is.</returns>
    public async Task<FolderProblem?> DownloadAsync(FolderFile file, string local, CancellationToken cancellationToken = default)
    {
        string? etag;
        try
        {
            using Response response = await BlobOf(file.Name)
                .DownloadToAsync(local, new BlobDownloadToOptions { TransferOptions = Parallel }, cancellationToken);
            etag = response.Headers.ETag is { } header ? ETags.Unquote(header) : null;
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return new FolderProblem(file.Name, FolderDamage.Missing, "is missing from storage", null);
        }
        await using var content = File.OpenRead(local);
        if (content.Length != file.Length)
            return new FolderProblem(file.Name, FolderDamage.WrongBytes, $"has {content.Length:N0} bytes and not {file.Length:N0}", etag);
        string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        return hash == file.Sha256 ? null
            : new FolderProblem(file.Name, FolderDamage.WrongBytes, $"is damaged: its SHA-256 is {hash} and not {file.Sha256}", etag);
    }

    /// <summary>Deletes everything under the path, manifests first.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        var names = new List<string>();
        await foreach (BlobItem blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = path + "/" }, cancellationToken))
            names.Add(blob.Name);
        foreach (string name in names.OrderByDescending(name => name.EndsWith("/" + ManifestName, StringComparison.Ordinal)))
            await container.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancellationToken);
    }

    private async Task<bool> CreateAsync(string name, Stream content, string sha256, CancellationToken cancellationToken)
    {
        try
        {
            await UploadAsync(name, content, new BlobUploadOptions
            {
                Conditions = Blobs.Unchanged(null),
                Metadata = new Dictionary<string, string> { [HashMetadata] = sha256 },
                TransferOptions = Parallel,
            }, cancellationToken);
            return true;
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
        {
            // The same file of a publishing that was cut off, of another publisher, or of this one whose answer was lost.
            var there = await BlobOf(name).TryGetPropertiesAsync(cancellationToken);
            return there is not null && there.Metadata.TryGetValue(HashMetadata, out string? hash) && hash == sha256;
        }
    }

    private async Task UploadAsync(string name, Stream content, BlobUploadOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await BlobOf(name).UploadAsync(content, options, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsUnwritable())
        {
            throw StorageErrors.Unwritable(BlobOf(name), exception);
        }
    }

    private BlobClient BlobOf(string name) => container.GetBlobClient($"{path}/{name}");
}

/// <summary>One file of a folder.</summary>
/// <param name="Name">Its name, without folders.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256, lower-case hexadecimal.</param>
public sealed record FolderFile(string Name, long Length, string Sha256)
{
    // A name goes into local paths: no folders, no drive, no "..".
    internal bool IsPlain => Name is { Length: > 0 and < 200 } && Name[0] != '.'
        && Name.All(symbol => char.IsAsciiLetterOrDigit(symbol) || symbol is '.' or '_' or '-');
}

/// <summary>A manifest that says nothing but which files there are.</summary>
/// <param name="Files">The files.</param>
public sealed record FolderManifest(IReadOnlyList<FolderFile> Files);

/// <summary>What is wrong with a file of a folder.</summary>
/// <param name="File">Its name.</param>
/// <param name="Damage">What kind it is.</param>
/// <param name="Detail">The verb and the rest of a sentence whose subject is the file: "is missing from storage".</param>
/// <param name="ETag">The ETag of the blob that was found damaged; another one is another chance.</param>
public sealed record FolderProblem(string File, FolderDamage Damage, string Detail, string? ETag);

/// <summary>Kinds of damage.</summary>
public enum FolderDamage
{
    /// <summary>The file is not there.</summary>
    Missing,

    /// <summary>The file is there with other bytes.</summary>
    WrongBytes,

    /// <summary>The manifest names what may not become part of a local path.</summary>
    OddName,
}
