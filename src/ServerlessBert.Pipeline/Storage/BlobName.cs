using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Azure.Storage.Blobs;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>
/// A blob's name that stays in its container. Names come from messages, requests and storage, and become part of a URL,
/// where <c>..</c> leads out of the container: a name is only taken where that URL says the very same name again.
/// </summary>
[JsonConverter(typeof(BlobNameConverter))]
public sealed record BlobName
{
    /// <summary>The longest name that Azure Storage takes.</summary>
    public const int MaxLength = 1024;

    private const string Container = "container";
    private static readonly Uri Somewhere = new($"https://account.blob.core.windows.net/{Container}");

    private BlobName(string value) => Value = value;

    /// <summary>The name.</summary>
    public string Value { get; }

    /// <summary>The name as a string.</summary>
    public static implicit operator string(BlobName name) => name.Value;

    /// <summary>Checks a name.</summary>
    /// <exception cref="FormatException">It is not one; the message is a sentence.</exception>
    public static BlobName Parse(string? name) =>
        TryParse(name, out var parsed, out string? reason) ? parsed : throw new FormatException(reason);

    /// <summary>Checks a name.</summary>
    /// <param name="name">Any text.</param>
    /// <param name="parsed">The name.</param>
    /// <param name="reason">Why it is not one, in a sentence.</param>
    public static bool TryParse(string? name, [NotNullWhen(true)] out BlobName? parsed, [NotNullWhen(false)] out string? reason)
    {
        reason = name switch
        {
            null or "" => "A blob's name is empty.",
            { Length: > MaxLength } => $"A blob's name has {name.Length} characters; storage takes at most {MaxLength}.",
            _ when name.Any(char.IsControl) => $"The blob name {JsonSerializer.Serialize(name)} has control characters in it.",
            _ when name.Split('/', '\\').Any(part => part is "." or "..") || !KeepsItsPlace(name) =>
                $"The blob name {JsonSerializer.Serialize(name)} leads out of its place; names may not have parts such as \"..\".",
            _ => null,
        };
        parsed = reason is null ? new BlobName(name!) : null;
        return parsed is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static bool KeepsItsPlace(string name)
    {
        var back = new BlobUriBuilder(new BlobUriBuilder(Somewhere) { BlobName = name }.ToUri());
        return back.BlobContainerName == Container && back.BlobName == name;
    }
}

/// <summary>Writes a name as a string, and checks what is read.</summary>
public sealed class BlobNameConverter : JsonConverter<BlobName>
{
    /// <inheritdoc/>
    public override BlobName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        BlobName.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var name, out string? reason) ? name
            : throw new JsonException(reason);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, BlobName value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}
