using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
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
    public required RunId Run { get; init; }

    /// <summary>The input's name in the reviews container.</summary>
    public required BlobName Blob { get; init; }

    /// <summary>The input's ETag, without quotes.</summary>
    [JsonPropertyName("etag")]
    public required string ETag { get; init; }

    /// <summary>Whether the bytes lie in the run's own plain UTF-8 copy, as with a compressed file, and not in the input.</summary>
    public bool IsRewritten { get; init; }

    /// <summary>The model version that answers the whole file.</summary>
    public required string Model { get; init; }

    /// <summary>The version that runs in shadow on this batch; null where none does.</summary>
    public string? Shadow { get; init; }

    /// <summary>The digest of the plan that the batch is of; null in messages of a release that did not say.</summary>
    public string? Plan { get; init; }

    /// <summary>About how many batches the run has: whether it pays to look if all are staged. How many there are says the plan.</summary>
    public required int Batches { get; init; }

    /// <summary>What reading from the middle needs to know of the file's head.</summary>
    public required ReviewLayout Layout { get; init; }

    /// <summary>The batch's byte range and rows.</summary>
    public required ReviewBatch Batch { get; init; }

    /// <summary>Attempts that count and were made before the message was sent anew: the queue's count begins again then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Attempts { get; init; }

    /// <summary>The id of the batch's block.</summary>
    [JsonIgnore]
    internal BlockId Block => BlockId.Compute(Plan, Batch);

    /// <summary>The message's body.</summary>
    public BinaryData ToBody() => new(PipelineJson.ToBytes(this));

    /// <summary>Reads a message's body.</summary>
    /// <exception cref="MessageFormatException">It is none.</exception>
    public static ReviewBatchMessage Parse(BinaryData body)
    {
        var message = MessageReader.Read(MessageReader.ReadJson(body, What), PipelineJson.Of<ReviewBatchMessage>(), What);
        return FirstProblem(message) is { } problem ? throw new MessageFormatException($"A {What} message {problem}") : message;
    }

    private static string? FirstProblem(ReviewBatchMessage message)
    {
        var batch = message.Batch;
        if (batch.Index < 0 || batch.Index >= message.Batches || message.Batches > BlockId.MaxBatches || batch.Rows < 0
            || batch.FirstRow < 0)
            return $"names batch {batch.Index} of {message.Batches} with {batch.Rows} rows from row {batch.FirstRow}, which cannot be.";
        if (batch.Offset < 0 || batch.Length < 0 || (batch.Error is null && batch.Length > int.MaxValue))
            return $"names {batch.Length} bytes from byte {batch.Offset}, which cannot be.";
        if (!ModelVersion.IsValid(message.Model) || (message.Shadow is { } shadow && !ModelVersion.IsValid(shadow)))
            return "names a model that cannot be one; a version looks like 20261122T101500Z-3fa9c1.";
        if (!ETags.IsValid(message.ETag)) return "has an ETag that cannot be one.";
        return message.Attempts is < 0 or > 1_000_000 ? $"counts {message.Attempts} attempts, which cannot be." : null;
    }
}
