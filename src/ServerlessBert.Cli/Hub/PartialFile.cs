using System.Net.Http.Headers;
using System.Text.Json;

namespace ServerlessBert.Cli.Hub;

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

    /// <summary>How to ask for the rest; null where what is here cannot be trusted to be the beginning of <paramref name="file"/>.</summary>
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
