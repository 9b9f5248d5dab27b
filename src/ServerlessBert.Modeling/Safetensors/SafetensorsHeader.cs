using System.Buffers.Binary;

namespace ServerlessBert.Modeling;

/// <summary>
/// The header of a safetensors file: eight bytes of length, JSON, and then the data, which the tensors must cover
/// without a hole or an overlap. Format: https://github.com/huggingface/safetensors#format
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header, as in the reference library: 100 MB.</summary>
    public const long MaximumBytes = 100_000_000;

    private const int LengthBytes = 8;

    private SafetensorsHeader(IReadOnlyDictionary<string, string> metadata, IReadOnlyList<SafetensorsEntry> entries, long dataStart) =>
        (Metadata, Entries, DataStart) = (metadata, entries, dataStart);

    /// <summary>Free text of the writer, <c>format</c> = <c>pt</c> for PyTorch.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors, in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The file offset of the data.</summary>
    public long DataStart { get; }

    /// <summary>Reads and checks the header of a file of <paramref name="fileLength"/> bytes.</summary>
    /// <param name="read">Fills a buffer from a file offset.</param>
    /// <param name="fileLength">The length of the whole file in bytes.</param>
    /// <exception cref="SafetensorsException">Anything that is not as the format says; the message names the fault.</exception>
    internal static SafetensorsHeader Read(ReadAt read, long fileLength)
    {
        if (fileLength < LengthBytes)
            throw new SafetensorsException($"it has {fileLength} bytes, fewer than the eight of the header's length");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        read(prefix, 0);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)MaximumBytes)
            throw new SafetensorsException($"its header claims {length} bytes; at most {MaximumBytes} are allowed");
        if (length > (ulong)(fileLength - LengthBytes))
            throw new SafetensorsException($"its header claims {length} bytes, but only {fileLength - LengthBytes} follow");
        byte[] json = new byte[length];
        read(json, LengthBytes);
        return Parse(json, fileLength - LengthBytes - json.Length);
    }

    /// <summary>Checks a header's JSON against the length of the data that follows it, in bytes.</summary>
    /// <exception cref="SafetensorsException">Anything that is not as the format says; the message names the fault.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        var (metadata, entries) = SafetensorsHeaderJson.Parse(json);
        entries.Sort((left, right) => (left.Begin, left.End).CompareTo((right.Begin, right.End)));
        RequireCover(entries, dataLength);
        return new SafetensorsHeader(metadata, entries, LengthBytes + json.Length);
    }

    private static void RequireCover(List<SafetensorsEntry> entries, long dataLength)
    {
        long covered = 0;
        foreach (var entry in entries)
        {
            if (entry.End > dataLength)
                throw new SafetensorsException($"tensor '{entry.Name}' ends at byte {entry.End}, but the data has {dataLength}");
            if (entry.Begin < covered)
                throw new SafetensorsException($"tensor '{entry.Name}' begins at byte {entry.Begin} and overlaps the one before it, which ends at {covered}");
            if (entry.Begin > covered)
                throw new SafetensorsException($"there is a hole before tensor '{entry.Name}': bytes {covered} to {entry.Begin} belong to none");
            covered = entry.End;
        }
        if (covered != dataLength)
            throw new SafetensorsException($"there are {dataLength - covered} bytes after the last tensor that belong to none");
    }

    /// <summary>Fills the buffer with the file's bytes from the offset on.</summary>
    internal delegate void ReadAt(Span<byte> buffer, long offset);
}
