using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>A run's id, 16 lower-case hexadecimal digits. It becomes part of blob names, so nothing else is taken.</summary>
[JsonConverter(typeof(RunIdConverter))]
public sealed record RunId
{
    private const int Digits = 16;

    private RunId(string value) => Value = value;

    /// <summary>The id.</summary>
    public string Value { get; }

    /// <summary>The id as a string.</summary>
    public static implicit operator string(RunId id) => id.Value;

    /// <summary>
    /// The id of a drop's run, a function of the input alone: the same drop is the same run however often it is
    /// announced.
    /// </summary>
    /// <returns>The first 16 hexadecimal digits of the SHA-256 of name, line feed and unquoted ETag.</returns>
    public static RunId Compute(string blob, string etag) =>
        new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{blob}\n{ETags.Unquote(etag)}")))[..Digits]);

    /// <summary>Checks an id.</summary>
    /// <exception cref="FormatException">It is not one; the message is a sentence.</exception>
    public static RunId Parse(string? id) => TryParse(id, out var parsed)
        ? parsed
        : throw new FormatException($"{JsonSerializer.Serialize(id)} is not a run's id, which has {Digits} lower-case hexadecimal digits.");

    /// <summary>Checks an id.</summary>
    public static bool TryParse(string? id, [NotNullWhen(true)] out RunId? parsed)
    {
        parsed = id is { Length: Digits } && id.All(char.IsAsciiHexDigitLower) ? new RunId(id) : null;
        return parsed is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>Writes an id as a string, and checks what is read.</summary>
public sealed class RunIdConverter : JsonConverter<RunId>
{
    /// <inheritdoc/>
    public override RunId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return RunId.TryParse(text, out var id) ? id : throw new JsonException($"{JsonSerializer.Serialize(text)} is not a run's id.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, RunId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
