using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

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

/// <summary>The header's JSON, read token by token: a document model would let duplicate keys through.</summary>
internal ref struct SafetensorsHeaderJson
{
    private const string MetadataKey = "__metadata__";

    // torch's own limit on dimensions is of this size; no checkpoint comes near.
    private const int MostDimensions = 64;

    private Utf8JsonReader reader;

    private SafetensorsHeaderJson(ReadOnlySpan<byte> json) => reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });

    public static (Dictionary<string, string> Metadata, List<SafetensorsEntry> Entries) Parse(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != '{') throw new SafetensorsException("its header does not begin with '{'");
        try
        {
            return new SafetensorsHeaderJson(json).Parse();
        }
        // The reader's two complaints: broken JSON, and text that is not UTF-8.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new SafetensorsException($"its header is not valid JSON: {exception.Message}", exception);
        }
    }

    private (Dictionary<string, string>, List<SafetensorsEntry>) Parse()
    {
        Dictionary<string, string>? metadata = null;
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>();
        Expect(JsonTokenType.StartObject, "the header");
        while (NextName() is { } name)
        {
            if (name == MetadataKey)
                metadata = metadata is null ? ParseMetadata() : throw Duplicate(name);
            else
                entries.Add(names.Add(name) ? ParseEntry(name) : throw Duplicate(name));
        }
        reader.Read(); // Throws on anything but white space after the object.
        return (metadata ?? [], entries);
    }

    private Dictionary<string, string> ParseMetadata()
    {
        var metadata = new Dictionary<string, string>();
        Expect(JsonTokenType.StartObject, MetadataKey);
        while (NextName() is { } name)
        {
            Expect(JsonTokenType.String, $"{MetadataKey}.{name}");
            if (!metadata.TryAdd(name, reader.GetString()!)) throw Duplicate($"{MetadataKey}.{name}");
        }
        return metadata;
    }

    private SafetensorsEntry ParseEntry(string name)
    {
        ScalarType? dtype = null;
        long[]? shape = null, offsets = null;
        Expect(JsonTokenType.StartObject, name);
        while (NextName() is { } field)
        {
            if ((field, dtype, shape, offsets) is ("dtype", not null, _, _) or ("shape", _, not null, _) or ("data_offsets", _, _, not null))
                throw Duplicate($"{name}.{field}");
            if (field == "dtype") dtype = ParseDtype(name);
            else if (field == "shape") shape = ParseIntegers($"{name}.shape");
            else if (field == "data_offsets") offsets = ParseIntegers($"{name}.data_offsets");
            else throw new SafetensorsException($"tensor '{name}' has the unknown field '{field}'");
        }
        return Checked(name,
            dtype ?? throw Missing(name, "dtype"), shape ?? throw Missing(name, "shape"), offsets ?? throw Missing(name, "data_offsets"));
    }

    private static SafetensorsEntry Checked(string name, ScalarType dtype, long[] shape, long[] offsets)
    {
        if (offsets is not [var begin, var end])
            throw new SafetensorsException($"tensor '{name}' has {offsets.Length} data_offsets; there must be two");
        if (begin > end)
            throw new SafetensorsException($"tensor '{name}' begins at byte {begin}, after its end at {end}");
        if (end - begin != Bytes(name, dtype, shape))
            throw new SafetensorsException(
                $"tensor '{name}' has {end - begin} bytes, but {SafetensorsDtype.Name(dtype)} of shape [{string.Join(", ", shape)}] needs {Bytes(name, dtype, shape)}");
        return new SafetensorsEntry(name, dtype, shape, begin, end);
    }

    private static long Bytes(string name, ScalarType dtype, long[] shape)
    {
        try
        {
            // An empty tensor's other dimensions must not overflow either: strides are made of them.
            long extent = shape.Aggregate((long)SafetensorsDtype.Size(dtype), (product, size) => checked(product * Math.Max(size, 1)));
            return shape.Contains(0) ? 0 : extent;
        }
        catch (OverflowException exception)
        {
            throw new SafetensorsException($"tensor '{name}' has a shape [{string.Join(", ", shape)}] too large for any memory", exception);
        }
    }

    private ScalarType ParseDtype(string name)
    {
        Expect(JsonTokenType.String, $"{name}.dtype");
        string dtype = reader.GetString()!;
        return SafetensorsDtype.Parse(dtype) ?? throw new SafetensorsException($"tensor '{name}' has the unknown dtype '{dtype}'");
    }

    private long[] ParseIntegers(string what)
    {
        var integers = new List<long>();
        Expect(JsonTokenType.StartArray, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long integer) || integer < 0)
                throw new SafetensorsException($"{what} holds something other than a non-negative 64-bit integer");
            if (integers.Count == MostDimensions) throw new SafetensorsException($"{what} has more than {MostDimensions} numbers");
            integers.Add(integer);
        }
        return [.. integers];
    }

    private string? NextName()
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;
    }

    private void Expect(JsonTokenType type, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new SafetensorsException($"{what} is {reader.TokenType}; it must be {type}");
    }

    private static SafetensorsException Duplicate(string name) => new($"'{name}' stands in the header twice");

    private static SafetensorsException Missing(string name, string field) => new($"tensor '{name}' has no {field}");
}

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Dtype">Its number type.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past its last byte.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Begin, long End);

/// <summary>The format's number types and torch's.</summary>
internal static class SafetensorsDtype
{
    // In the order in which the reference library lays tensors out: widest alignment first.
    private static readonly (string Name, ScalarType Type, int Bytes)[] Known =
    [
        ("I64", ScalarType.Int64, 8), ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("I32", ScalarType.Int32, 4),
        ("BF16", ScalarType.BFloat16, 2), ("F16", ScalarType.Float16, 2), ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The type of a name, or null.</summary>
    public static ScalarType? Parse(string name) =>
        Array.FindIndex(Known, known => known.Name == name) is >= 0 and var index ? Known[index].Type : null;

    /// <summary>The format's name.</summary>
    public static string Name(ScalarType type) => Of(type).Name;

    /// <summary>Bytes of one element.</summary>
    public static int Size(ScalarType type) => Of(type).Bytes;

    /// <summary>The place in the reference library's layout.</summary>
    public static int Rank(ScalarType type) => Array.IndexOf(Known, Of(type));

    private static (string Name, ScalarType Type, int Bytes) Of(ScalarType type) =>
        Array.FindIndex(Known, known => known.Type == type) is >= 0 and var index
            ? Known[index]
            : throw new ArgumentException($"safetensors has no name for the number type {type}.", nameof(type));
}
