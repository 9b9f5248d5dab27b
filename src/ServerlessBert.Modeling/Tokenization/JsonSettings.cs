using System.Text.Json;

namespace ServerlessBert.Modeling;

/// <summary>A JSON object of settings whose refusals name the file, the key and what was expected.</summary>
internal sealed class JsonSettings : IDisposable
{
    private readonly JsonDocument document;

    private JsonSettings(string path, JsonDocument document) => (Path, this.document) = (path, document);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The object itself.</summary>
    public JsonElement Root => document.RootElement;

    /// <exception cref="InvalidDataException">The file holds no JSON object.</exception>
    public static JsonSettings Read(string path)
    {
        JsonDocument document;
        try
        {
            using var stream = File.OpenRead(path);
            document = JsonDocument.Parse(stream);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path} is not valid JSON ({fault.Message}); fetch the checkpoint again.", fault);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object) return new JsonSettings(path, document);
        document.Dispose();
        throw new InvalidDataException($"{path} holds no JSON object; fetch the checkpoint again.");
    }

    /// <summary>true, false, or null for a key that is absent or null.</summary>
    public bool? Boolean(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Unexpected(name, "true or false"),
    };

    /// <summary>A number of tokens; what an int cannot hold is Hugging Face's way to say no limit: <see cref="int.MaxValue"/>.</summary>
    public int? Length(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetDouble(out double value) && value >= 2 => value >= int.MaxValue ? int.MaxValue : (int)value,
        _ => throw Unexpected(name, "a number of at least 2"),
    };

    /// <summary>A token, written as a string or as an object with <c>content</c>.</summary>
    public string? Token(string name)
    {
        JsonElement? value = Find(name);
        if (value is { ValueKind: JsonValueKind.Object } added && added.TryGetProperty("content", out JsonElement content)) value = content;
        return value is null ? null : Text(value.Value) ?? throw Unexpected(name, "a string");
    }

    /// <summary>A value that is neither absent nor null.</summary>
    public JsonElement? Find(string name) => Find(Root, name);

    /// <inheritdoc cref="Find(string)"/>
    public static JsonElement? Find(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A string's text; null where the value is no string or not valid Unicode.</summary>
    public static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate: the only string that parses and cannot be read.
            return null;
        }
    }

    /// <summary>The refusal of a value.</summary>
    public InvalidDataException Unexpected(string name, string expected) =>
        new($"{Path}: {name} should be {expected}, but is {Find(name)?.GetRawText() ?? "absent"}; correct it or fetch the checkpoint again.");

    /// <inheritdoc/>
    public void Dispose() => document.Dispose();
}
