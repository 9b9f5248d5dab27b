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
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength)
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
                throw new SafetensorsException(
                    $"tensor '{entry.Name}' begins at byte {entry.Begin} and overlaps the one before it, which ends at {covered}");
            if (entry.Begin > covered)
                throw new SafetensorsException(
                    $"there is a hole before tensor '{entry.Name}': bytes {covered} to {entry.Begin} belong to none");
            covered = entry.End;
        }
        if (covered != dataLength)
            throw new SafetensorsException($"there are {dataLength - covered} bytes after the last tensor that belong to none");
    }

    /// <summary>Fills the buffer with the file's bytes from the offset on.</summary>
    internal delegate void ReadAt(Span<byte> buffer, long offset);
}

/// <summary>The header's JSON: a tensor a property, each named once.</summary>
internal static class SafetensorsHeaderJson
{
    private const string MetadataKey = "__metadata__";

    // torch's own limit on dimensions is of this size; no checkpoint comes near.
    private const int MaxDimensions = 64;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    public static (Dictionary<string, string> Metadata, List<SafetensorsEntry> Entries) Parse(ReadOnlyMemory<byte> json)
    {
        if (json.IsEmpty || json.Span[0] != '{') throw new SafetensorsException("its header does not begin with '{'");
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            ILookup<bool, JsonProperty> parts = document.RootElement.EnumerateObject().ToLookup(property => property.Name == MetadataKey);
            return (parts[true].SelectMany(Metadata).ToDictionary(), [.. parts[false].Select(Entry)]);
        }
        // The reader's two complaints: JSON that is broken or names something twice, and text that is not UTF-8.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new SafetensorsException($"its header is not valid JSON: {exception.Message}", exception);
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Metadata(JsonProperty metadata) =>
        from property in Expect(metadata.Value, JsonValueKind.Object, MetadataKey).EnumerateObject()
        select KeyValuePair.Create(
            property.Name, Expect(property.Value, JsonValueKind.String, $"{MetadataKey}.{property.Name}").GetString()!);

    private static SafetensorsEntry Entry(JsonProperty tensor)
    {
        string name = tensor.Name;
        ScalarType? dtype = null;
        long[]? shape = null, offsets = null;
        foreach (JsonProperty field in Expect(tensor.Value, JsonValueKind.Object, name).EnumerateObject())
        {
            if (field.NameEquals("dtype")) dtype = Dtype(field.Value, name);
            else if (field.NameEquals("shape")) shape = Integers(field.Value, $"{name}.shape");
            else if (field.NameEquals("data_offsets")) offsets = Integers(field.Value, $"{name}.data_offsets");
            else throw new SafetensorsException($"tensor '{name}' has the unknown field '{field.Name}'");
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
        long bytes = Bytes(name, dtype, shape);
        if (end - begin != bytes)
            throw new SafetensorsException($"tensor '{name}' has {end - begin} bytes, but "
                + $"{SafetensorsDtype.Name(dtype)} of shape [{string.Join(", ", shape)}] needs {bytes}");
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

    private static ScalarType Dtype(JsonElement value, string name)
    {
        string dtype = Expect(value, JsonValueKind.String, $"{name}.dtype").GetString()!;
        return SafetensorsDtype.Parse(dtype) ?? throw new SafetensorsException($"tensor '{name}' has the unknown dtype '{dtype}'");
    }

    private static long[] Integers(JsonElement value, string what)
    {
        if (Expect(value, JsonValueKind.Array, what).GetArrayLength() > MaxDimensions)
            throw new SafetensorsException($"{what} has more than {MaxDimensions} numbers");
        return [.. value.EnumerateArray()
            .Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out long integer) && integer >= 0
            ? integer
            : throw new SafetensorsException($"{what} holds something other than a non-negative 64-bit integer"))];
    }

    private static JsonElement Expect(JsonElement value, JsonValueKind kind, string what) =>
        value.ValueKind == kind ? value : throw new SafetensorsException($"{what} is {value.ValueKind}; it must be {kind}");

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
