using System.Text.Json.Serialization;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>One file's way to its predictions: the document <c>runs/&lt;id&gt;.json</c>.</summary>
public sealed record Run
{
    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>The run's id, see <see cref="RunId.Compute"/>.</summary>
    public required RunId Id { get; init; }

    /// <summary>The input's name in the reviews container.</summary>
    public required BlobName Blob { get; init; }

    /// <summary>The input's ETag, without quotes.</summary>
    [JsonPropertyName("etag")]
    public required string ETag { get; init; }

    /// <summary>
    /// The model version that answers the whole file: live when the run began, or the one before where that cannot be
    /// loaded.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>The version that ran in shadow when the run began, on the batches that it takes; null where none did.</summary>
    public ModelShadow? Shadow { get; init; }

    /// <summary>How far it is.</summary>
    public required RunState State { get; init; }

    /// <summary>When the input was dropped, by the storage's clock; the newer drop's output stays.</summary>
    public required DateTimeOffset Dropped { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it reached a state that does not change any more.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>When its messages were queued last.</summary>
    public DateTimeOffset? Queued { get; init; }

    /// <summary>Whether its content was rewritten as plain UTF-8 into the run's own blob.</summary>
    public bool IsRewritten { get; init; }

    /// <summary>
    /// The digest of the plan that its batches come from, see <see cref="RunPlan.Digest"/>; null before, and in runs
    /// of a release without it.
    /// </summary>
    public string? Plan { get; init; }

    /// <summary>How many batches were planned; null before.</summary>
    public int? Batches { get; init; }

    /// <summary>How many of them were staged when the sweep looked last, and all at the end.</summary>
    public int Staged { get; init; }

    /// <summary>Rows of the file; null before it was split.</summary>
    public long? Rows { get; init; }

    /// <summary>Bytes of the content, decompressed; null before it was split.</summary>
    public long? Bytes { get; init; }

    /// <summary>Rows without a prediction; null before the end.</summary>
    public long? ErrorRows { get; init; }

    /// <summary>How often the sweep has queued what was missing since the run last made progress.</summary>
    public int Attempts { get; init; }

    /// <summary>Why a host gave one of its batches back, which waits for one that can do it; null since the run made progress.</summary>
    public string? Waiting { get; init; }

    /// <summary>Why it failed: a stable name such as <c>no_text_column</c>.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Why it failed or was superseded, in a sentence.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Whether it will not change any more.</summary>
    [JsonIgnore]
    public bool IsFinished => State is RunState.Done or RunState.Superseded or RunState.Failed;

    /// <summary>The predictions' name in the predictions container.</summary>
    [JsonIgnore]
    public string PredictionsName => Blob + ".jsonl";

    /// <summary>The summary's name in the predictions container.</summary>
    [JsonIgnore]
    public string SummaryName => Blob + ".summary.json";
}

/// <summary>How far a run is.</summary>
[JsonConverter(typeof(RunStateConverter))]
public enum RunState
{
    /// <summary>The file is read and cut.</summary>
    Splitting,

    /// <summary>Its batches are queued.</summary>
    Classifying,

    /// <summary>All batches are staged; they are put together and published.</summary>
    Committing,

    /// <summary>Predictions and summary are published.</summary>
    Done,

    /// <summary>A newer drop of the same name took its place.</summary>
    Superseded,

    /// <summary>The file as a whole cannot be classified.</summary>
    Failed,
}

/// <summary>Writes states in camelCase, whoever writes them.</summary>
public sealed class RunStateConverter() : JsonStringEnumConverter<RunState>(System.Text.Json.JsonNamingPolicy.CamelCase);

/// <summary>Why a batch failed last: the document <c>runs/&lt;id&gt;/failures/&lt;index&gt;.json</c>.</summary>
/// <param name="Batch">The batch's index.</param>
/// <param name="Attempt">How often it was tried; what a host could not help, or a stop cut short, is not counted.</param>
/// <param name="Message">What went wrong, in a sentence.</param>
/// <param name="Type">The exception's type, for whoever looks into it.</param>
/// <param name="At">When.</param>
public sealed record BatchFailure(int Batch, long Attempt, string Message, string Type, DateTimeOffset At);
