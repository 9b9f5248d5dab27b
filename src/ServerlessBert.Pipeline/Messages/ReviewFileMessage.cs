namespace ServerlessBert.Pipeline.Messages;

/// <summary>A file was dropped: the body of a message in <c>review-files</c>.</summary>
public sealed record ReviewFileMessage
{
    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The blob's name in the reviews container.</summary>
    public required string Blob { get; init; }

    /// <summary>The blob's ETag when it was seen; null takes whatever is there.</summary>
    public string? ETag { get; init; }

    /// <summary>Reads the sweep's own message, an Event Grid event or a CloudEvent.</summary>
    public static ReviewFileMessage Parse(BinaryData body) => throw new NotImplementedException();
}
