using System.Text.Json;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Messages;

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

        return new ReviewFileMessage
        {
            Blob = NameInUrl(Text(data, "url"), container) ?? Uri.UnescapeDataString(subject[prefix.Length..]),
            ETag = Text(data, "eTag") is { } etag ? ETags.Bare(etag) : null,
        };
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
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
