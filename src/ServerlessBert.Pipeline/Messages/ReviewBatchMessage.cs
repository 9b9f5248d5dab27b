using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Messages;

/// <summary>A batch to classify: the body of a message in <c>review-batches</c>. It points at data and carries none.</summary>
public sealed record ReviewBatchMessage
{
    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The run that the batch belongs to.</summary>
    public required string Run { get; init; }

    /// <summary>The batch's byte range and rows.</summary>
    public required ReviewBatch Batch { get; init; }

    /// <summary>Reads a message's body.</summary>
    public static ReviewBatchMessage Parse(BinaryData body) => throw new NotImplementedException();
}
