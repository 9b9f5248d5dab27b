using System.Text.Json;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

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
