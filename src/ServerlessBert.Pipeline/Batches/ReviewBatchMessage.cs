using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// A batch to classify: the body of a message in <c>review-batches</c>. It points at data and carries none, and says
/// all that the batch needs, so that a worker reads no other document.
/// </summary>
public sealed record ReviewBatchMessage
{
    private const string What = "review-batches";

    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The run that the batch belongs to.</summary>
    public required string Run { get; init; }

    /// <summary>The input's name in the reviews container.</summary>
    public required string Blob { get; init; }

    /// <summary>The input's ETag, without quotes.</summary>
    [JsonPropertyName("etag")]
    public required string ETag { get; init; }

    /// <summary>Whether the bytes lie in the run's own plain UTF-8 copy, as with a compressed file, and not in the input.</summary>
    public bool IsRewritten { get; init; }

    /// <summary>The model version that answers the whole file.</summary>
    public required string Model { get; init; }

    /// <summary>The version that runs in shadow on this batch; null where none does.</summary>
    public string? Shadow { get; init; }

    /// <summary>How many batches the run has.</summary>
    public required int Batches { get; init; }

    /// <summary>What reading from the middle needs to know of the file's head.</summary>
    public required ReviewLayout Layout { get; init; }

    /// <summary>The batch's byte range and rows.</summary>
    public required ReviewBatch Batch { get; init; }

    /// <summary>The message's body.</summary>
    public BinaryData ToBody() => new(JsonSerializer.SerializeToUtf8Bytes(this, PipelineJson.Of<ReviewBatchMessage>()));

    /// <summary>Reads a message's body.</summary>
    /// <exception cref="MessageFormatException">It is none.</exception>
    public static ReviewBatchMessage Parse(BinaryData body)
    {
        var message = MessageReader.Read(MessageReader.ReadJson(body, What), PipelineJson.Of<ReviewBatchMessage>(), What);
        if (message.Batch.Index < 0 || message.Batch.Index >= message.Batches || message.Batch.Rows < 0)
            throw new MessageFormatException($"A {What} message names batch {message.Batch.Index} of {message.Batches} with {message.Batch.Rows} rows, which cannot be.");
        return message;
    }
}
