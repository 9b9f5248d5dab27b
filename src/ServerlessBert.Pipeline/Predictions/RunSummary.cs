using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Predictions;

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    /// <summary>The predictions file stands, with a line for every row.</summary>
    Done,

    /// <summary>The file as a whole could not be classified; the summary says why.</summary>
    Failed,

    /// <summary>A newer file of the same name took its place.</summary>
    Superseded,
}

/// <summary>The summary beside a predictions file: what was read, by which model, what came out.</summary>
public sealed record RunSummary
{
    /// <summary>How summaries and statistics are written: camelCase, indented, readable.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The input's name.</summary>
    public required string Input { get; init; }

    /// <summary>The input's ETag: which of the files that had the name.</summary>
    [JsonPropertyName("etag")]
    public string? ETag { get; init; }

    /// <summary>The run's id.</summary>
    public string? Run { get; init; }

    /// <summary>How it ended.</summary>
    public required RunOutcome State { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public RowError? Reason { get; init; }

    /// <summary>The version of the model that the run was pinned to, or null when it failed before that.</summary>
    public string? Model { get; init; }

    /// <summary>Rows in, which are rows out.</summary>
    public long Rows { get; init; }

    /// <summary>Rows with a prediction.</summary>
    public long Predictions { get; init; }

    /// <summary>Error code → rows.</summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>Predicted stars → rows.</summary>
    public required IReadOnlyDictionary<int, long> Stars { get; init; }

    /// <summary>Model version → rows it predicted.</summary>
    public required IReadOnlyDictionary<string, long> Models { get; init; }

    /// <summary>Dtype → rows that a model predicted in it.</summary>
    public required IReadOnlyDictionary<string, long> Dtypes { get; init; }

    /// <summary>Tokens that the model saw.</summary>
    public long Tokens { get; init; }

    /// <summary>How many of them were [UNK].</summary>
    public long UnknownTokens { get; init; }

    /// <summary>Reviews longer than the model's maximum.</summary>
    public long Truncated { get; init; }

    /// <summary>Malformed UTF-8 sequences that became U+FFFD.</summary>
    public long InvalidUtf8 { get; init; }

    /// <summary>Rows whose known rating could not be read.</summary>
    public long InvalidLabels { get; init; }

    /// <summary>Mean confidence of the predictions; null when there are none.</summary>
    public decimal? MeanConfidence { get; init; }

    /// <summary>Predicted rows whose rating is known.</summary>
    public long Labelled { get; init; }

    /// <summary>Share of the labelled rows that were predicted right; null when none is labelled.</summary>
    public decimal? Accuracy { get; init; }

    /// <summary>Mean of |predicted - known| in stars over labelled rows; null when none is labelled.</summary>
    public decimal? MeanAbsoluteError { get; init; }

    /// <summary>What the version in shadow said; null where none ran.</summary>
    public ShadowSummary? Shadow { get; init; }

    /// <summary>How the predictions compare with the model's evaluation set; null where the model came without a baseline.</summary>
    public DriftReport? Drift { get; init; }

    /// <summary>Seconds of work, over all hosts.</summary>
    public decimal Seconds { get; init; }

    /// <summary>When the run began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>The summary that a run's counts make.</summary>
    public static RunSummary Create(string input, RunOutcome state, BatchStatistics statistics) => new()
    {
        Input = input,
        State = state,
        Rows = statistics.Rows,
        Predictions = statistics.Predictions,
        Errors = statistics.Errors,
        Stars = statistics.Stars,
        Models = statistics.Models,
        Dtypes = statistics.Dtypes,
        Tokens = statistics.Tokens,
        UnknownTokens = statistics.UnknownTokens,
        Truncated = statistics.Truncated,
        InvalidUtf8 = statistics.InvalidUtf8,
        InvalidLabels = statistics.InvalidLabels,
        MeanConfidence = PredictionOutcome.Mean(statistics.ConfidenceSum, statistics.Predictions),
        Labelled = statistics.Labelled,
        Accuracy = PredictionOutcome.Mean(statistics.Correct, statistics.Labelled),
        MeanAbsoluteError = PredictionOutcome.Mean(statistics.AbsoluteErrorSum, statistics.Labelled),
        Seconds = statistics.Seconds,
    };

    /// <summary>The summary's file: indented JSON in UTF-8, ended by a line break.</summary>
    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];
}

/// <summary>How a file's predictions compare with those of the model's evaluation set.</summary>
public sealed record DriftReport
{
    /// <summary>Rows of the evaluation set.</summary>
    public required long BaselineRows { get; init; }

    /// <summary>Whether anything is flagged.</summary>
    public bool IsDrifted => Flags.Count > 0;

    /// <summary>What is flagged, of stars, confidence and unknownTokens.</summary>
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>Why, or why nothing can be said, in a sentence; null where nothing is flagged.</summary>
    public string? Reason { get; init; }

    /// <summary>The population stability index of the star mix; null where there are too few rows.</summary>
    public decimal? StarsIndex { get; init; }

    /// <summary>The mean confidence less the baseline's.</summary>
    public decimal? ConfidenceShift { get; init; }

    /// <summary>The share of unknown tokens less the baseline's.</summary>
    public decimal? UnknownShareShift { get; init; }
}
