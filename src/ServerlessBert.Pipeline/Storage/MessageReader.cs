using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>Reads a message's body and turns what is wrong with it into one sentence.</summary>
internal static class MessageReader
{
    private const int Known = 1;

    /// <summary>The body as JSON.</summary>
    public static JsonElement ReadJson(BinaryData body, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(body.ToMemory());
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            throw new MessageFormatException($"A {what} message is not JSON: {exception.Message}", exception);
        }
    }

    /// <summary>The object as a message, after its version was found to be one this program knows.</summary>
    public static T Read<T>(JsonElement json, JsonTypeInfo<T> type, string what)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new MessageFormatException($"A {what} message is a JSON {json.ValueKind.ToString().ToLowerInvariant()}, not an object.");
        CheckVersion(json, what);
        try
        {
            return json.Deserialize(type)!;
        }
        catch (JsonException exception)
        {
            throw new MessageFormatException($"A {what} message cannot be read at {exception.Path}: {exception.Message}", exception);
        }
    }

    private static void CheckVersion(JsonElement json, string what)
    {
        // Absent means 1: a message written by hand need not say it.
        if (!json.TryGetProperty("version", out var version)) return;
        if (version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out int number) && number == Known) return;
        throw new MessageFormatException(
            $"A {what} message has version {version.GetRawText()}, and this program knows version {Known}: update the program, or replay "
                + "the message with the one that wrote it.");
    }
}

/// <summary>A queue message that cannot be read: not JSON, an unknown version, a field missing or out of range.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="inner">What the JSON reader said, if it was that.</param>
public sealed class MessageFormatException(string message, Exception? inner = null) : ServerlessBertException(message, inner);
