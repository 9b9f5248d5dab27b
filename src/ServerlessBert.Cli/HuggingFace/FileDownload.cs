using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>Fetches one file: goes on where an earlier attempt stopped, checks what came, and only then gives it its name.</summary>
/// <param name="hub">The hub.</param>
/// <param name="revision">The commit that the file is of.</param>
/// <param name="file">What the hub says of it.</param>
/// <param name="target">The path that it will have.</param>
/// <param name="follow">Told of the bytes that are here, again and again.</param>
internal sealed class FileDownload(HubClient hub, HubRevision revision, HubFile file, string target, Action<long> follow)
{
    private const int BufferSize = 1 << 17;

    private readonly PartialFile partial = new(target);

    /// <summary>Fetches the file, over as many connections as it takes.</summary>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="HubException">It cannot be fetched; what came is kept for the next time, unless it was wrong.</exception>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        long length = await hub.Retry.RunAsync(AttemptAsync, cancellationToken);
        if (file.Sha256 is { } expected)
        {
            string actual = await FileDigest.Sha256Async(partial.BytesPath, cancellationToken);
            if (!FileDigest.AreEqual(actual, expected))
            {
                partial.Delete();
                throw new HubException(
                    $"{file.Name} arrived damaged and was deleted: its SHA-256 is {actual}, the hub says {expected}; run the same "
                        + $"command again.");
            }
        }
        partial.Complete();
        return length;
    }

    private async Task<long> AttemptAsync(CancellationToken cancellationToken)
    {
        RangeRequest? rest = partial.Rest(file);
        if (rest is not null && rest.From == file.Size) return rest.From; // whole, but not yet named
        using HttpResponseMessage response = await OpenAsync(rest, cancellationToken);
        using HubBody body = await HubBody.OpenAsync(response, hub.Options.Silence, cancellationToken);
        await using FileStream stream = response.StatusCode == HttpStatusCode.PartialContent ? partial.Continue()
            : partial.StartOver(file, response.Headers.ETag);
        await CopyAsync(body, stream, cancellationToken);
        stream.Flush(flushToDisk: true);
        return stream.Position;
    }

    private async Task<HttpResponseMessage> OpenAsync(RangeRequest? rest, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = await hub.OpenAsync(revision, file.Name, rest, cancellationToken);
            if (response.StatusCode != HttpStatusCode.PartialContent || IsRest(response, rest)) return response;
            using (response)
                throw new HubException(
                $"{response.RequestMessage!.RequestUri!.Authority} sent another part of {file.Name} than was asked for")
                {
                    IsPassing =
                true,
                    Status = HttpStatusCode.RequestedRangeNotSatisfiable
                };
        }
        catch (HubException fault) when (fault.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            partial.Delete(); // the next attempt starts over
            throw;
        }
    }

    private bool IsRest(HttpResponseMessage response, RangeRequest? rest) =>
        response.Content.Headers.ContentRange is { } range && range.From == rest?.From
            && (range.Length is null || file.Size is null || range.Length == file.Size);

    private async Task CopyAsync(HubBody body, FileStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferSize];
        follow(stream.Position);
        while (await body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (stream.Position + read > file.Size)
            {
                stream.SetLength(0); // none of it can be trusted
                throw new HubException(
                    $"{file.Name} is longer than the {file.Size:N0} bytes that the hub says; run the same command again.");
            }
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            follow(stream.Position);
        }
        if (stream.Position < file.Size)
            throw new HubException($"{file.Name} ended after {stream.Position:N0} of {file.Size:N0} bytes") { IsPassing = true };
    }
}

/// <summary>
/// A file on its way: its bytes so far in <c>NAME.partial</c>, and beside them in <c>NAME.partial.json</c> of which content
/// they are. The file takes its own name when it is whole and checked, never before.
/// </summary>
/// <param name="target">The path that the whole file will have.</param>
internal sealed class PartialFile(string target)
{
    private readonly string markPath = target + ".partial.json";

    /// <summary>What the bytes are of.</summary>
    /// <param name="ETag">The hub's mark of the content.</param>
    /// <param name="ServerETag">The mark of the server that sent them, which knows nothing of the hub's.</param>
    private sealed record Mark(string? ETag, string? ServerETag);

    /// <summary>Where the bytes are.</summary>
    public string BytesPath { get; } = target + ".partial";

    /// <summary>Bytes that are here already.</summary>
    public long Length => File.Exists(BytesPath) ? new FileInfo(BytesPath).Length : 0;

    /// <summary>
    /// How to ask for the rest; null where what is here cannot be trusted to be the beginning of <paramref name="file"/>.
    /// </summary>
    public RangeRequest? Rest(HubFile file)
    {
        long length = Length;
        if (length == 0 || length > (file.Size ?? long.MaxValue)) return null;
        if (ReadMark() is not { } mark || mark.ETag != file.ETag) return null;
        EntityTagHeaderValue? server = EntityTagHeaderValue.TryParse(mark.ServerETag, out var etag) && !etag.IsWeak ? etag : null;
        return server is null && file.Sha256 is null ? null : new RangeRequest(length, server);
    }

    /// <summary>Opens an empty file for the bytes of <paramref name="file"/>.</summary>
    public FileStream StartOver(HubFile file, EntityTagHeaderValue? server)
    {
        // Old bytes are never under a new mark, whenever the process dies.
        Delete();
        File.WriteAllBytes(markPath, JsonSerializer.SerializeToUtf8Bytes(new Mark(file.ETag, server?.ToString())));
        return Open(FileMode.Create);
    }

    /// <summary>Opens the file behind its last byte.</summary>
    public FileStream Continue() => Open(FileMode.Append);

    /// <summary>Gives the file its own name.</summary>
    public void Complete()
    {
        File.Move(BytesPath, target, overwrite: true);
        File.Delete(markPath);
    }

    /// <summary>Forgets the bytes.</summary>
    public void Delete()
    {
        File.Delete(BytesPath);
        File.Delete(markPath);
    }

    // Nobody else writes here meanwhile: a second pull into the same folder stops with the system's sentence.
    private FileStream Open(FileMode mode) => new(BytesPath, mode, FileAccess.Write, FileShare.None);

    private Mark? ReadMark()
    {
        try
        {
            return File.Exists(markPath) ? JsonSerializer.Deserialize<Mark>(File.ReadAllBytes(markPath)) : null;
        }
        catch (JsonException)
        {
            return null; // torn by a crash: nothing is known of the bytes
        }
    }
}

/// <summary>The hashes by which the hub names contents.</summary>
internal static class FileDigest
{
    private const int BufferSize = 1 << 20;

    /// <summary>The SHA-256 of a file, in lower-case hexadecimal.</summary>
    public static async Task<string> Sha256Async(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = Open(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    /// <summary>The id that git gives a file: the SHA-1 of <c>blob LENGTH\0</c> and its bytes.</summary>
    public static async Task<string> GitBlobAsync(string path, CancellationToken cancellationToken)
    {
        await using FileStream file = Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Length}\0")));
        byte[] buffer = new byte[BufferSize];
        while (await file.ReadAsync(buffer, cancellationToken) is var read and > 0) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// Whether a file is there and is what the hub describes, by the best mark that the hub gives: a hash, else the length.
    /// </summary>
    public static async Task<bool> MatchesAsync(string path, HubFile file, CancellationToken cancellationToken)
    {
        if (!File.Exists(path) || (file.Size is { } size && new FileInfo(path).Length != size)) return false;
        if (file.Sha256 is { } sha256) return AreEqual(await Sha256Async(path, cancellationToken), sha256);
        if (file.GitBlob is { } blob) return AreEqual(await GitBlobAsync(path, cancellationToken), blob);
        return file.Size is not null;
    }

    /// <summary>Compares two hashes in hexadecimal.</summary>
    public static bool AreEqual(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
}

/// <summary>Whether what is to come fits.</summary>
internal static class DiskSpace
{
    /// <summary>Refuses to begin what cannot end.</summary>
    /// <param name="folder">Where the bytes will go; it need not exist.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="HubException">There is less room.</exception>
    public static void Require(string folder, long bytes)
    {
        long free = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : Existing(folder)).AvailableFreeSpace;
        if (bytes > free)
            throw new HubException(
                $"{folder} has room for {Megabytes(free)}, and {Megabytes(bytes)} are still to be fetched; make room, or give "
                    + $"another folder with --out.");
    }

    // On Unix any path stands for the file system that it is on.
    private static string Existing(string folder) => Directory.Exists(folder) ? folder : Existing(Path.GetDirectoryName(folder)!);

    private static string Megabytes(long bytes) => $"{bytes / 1e6:N0} MB";
}
