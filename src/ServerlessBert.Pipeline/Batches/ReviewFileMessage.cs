using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>A file was dropped: the body of a message in <c>review-files</c>.</summary>
public sealed record ReviewFileMessage
{
    private const string What = "review-files";

    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The blob's name in the reviews container.</summary>
    public required BlobName Blob { get; init; }

    /// <summary>The blob's ETag when it was seen, without quotes; null takes whatever is there.</summary>
    [JsonPropertyName("etag")]
    public string? ETag { get; init; }

    /// <summary>The message's body.</summary>
    public BinaryData ToBody() => new(PipelineJson.ToBytes(this));

    /// <summary>Reads a message about the reviews container, see <see cref="Parse(BinaryData, string)"/>.</summary>
    /// <exception cref="MessageFormatException">The body is no message.</exception>
    public static ReviewFileMessage? Parse(BinaryData body) => Parse(body, StorageNames.Reviews);

    /// <summary>Reads the sweep's own message, an Event Grid event or a CloudEvent (one, or an array of one).</summary>
    /// <param name="body">The message's body, decoded.</param>
    /// <param name="container">The container whose blobs are reviews.</param>
    /// <returns>The file, or null for an event that tells of something else (another container, a deletion) and is to be ignored.</returns>
    /// <exception cref="MessageFormatException">The body is none of these.</exception>
    public static ReviewFileMessage? Parse(BinaryData body, string container)
    {
        var json = MessageReader.ReadJson(body, What);
        if (json.ValueKind == JsonValueKind.Array) json = Single(json);
        if (BlobCreatedEvent.IsEvent(json)) return BlobCreatedEvent.Read(json, container);

        var message = MessageReader.Read(json, PipelineJson.Of<ReviewFileMessage>(), What);
        return message with { ETag = CheckedETag(message.ETag) };
    }

    internal static string? CheckedETag(string? etag)
    {
        if (etag is null) return null;
        string unquoted = ETags.Unquote(etag);
        return ETags.IsValid(unquoted) ? unquoted : throw new MessageFormatException($"A {What} message has an ETag that cannot be one.");
    }

    private static JsonElement Single(JsonElement array) => array.GetArrayLength() == 1
        ? array[0]
        : throw new MessageFormatException(
            $"A {What} message holds {array.GetArrayLength()} events, not one: set the event subscription to one event a message.");
}

/// <summary>
/// Microsoft.Storage.BlobCreated as Event Grid delivers it: in its own schema (<c>eventType</c>) or as a CloudEvent
/// 1.0 (<c>type</c>); subject and data are the same in both.
/// </summary>
internal static class BlobCreatedEvent
{
    private const string BlobCreated = "Microsoft.Storage.BlobCreated";

    // A file system's "created" comes before the content; the content's own event (FlushWithClose, SftpCommit) follows.
    private static readonly string[] ContentStillToCome = ["CreateFile", "SftpCreate"];

    public static bool IsEvent(JsonElement json) => Type(json) is not null;

    public static ReviewFileMessage? Read(JsonElement json, string container)
    {
        if (Type(json) != BlobCreated) return null;
        json.TryGetProperty("data", out var data);
        if (ContentStillToCome.Contains(Text(data, "api"))) return null;

        string subject = Text(json, "subject") ?? throw new MessageFormatException($"A {BlobCreated} event has no subject.");
        string prefix = $"/blobServices/default/containers/{container}/blobs/";
        if (!subject.StartsWith(prefix, StringComparison.Ordinal)) return null;

        string name = NameInUrl(Text(data, "url"), container) ?? Uri.UnescapeDataString(subject[prefix.Length..]);
        return BlobName.TryParse(name, out var blob, out string? reason)
            ? new ReviewFileMessage { Blob = blob, ETag = ReviewFileMessage.CheckedETag(Text(data, "eTag")) }
            : throw new MessageFormatException($"A {BlobCreated} event cannot be used: {reason}");
    }

    // The URL is percent-encoded for certain, so a name that itself holds a "%20" survives; the subject is the second choice.
    private static string? NameInUrl(string? url, string container)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri)) return null;
        string path = $"/{container}/";
        return uri.AbsolutePath.StartsWith(path, StringComparison.Ordinal) ? Uri.UnescapeDataString(uri.AbsolutePath[path.Length..]) : null;
    }

    private static string? Type(JsonElement json) => Text(json, "eventType") ?? Text(json, "type");

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;
}
