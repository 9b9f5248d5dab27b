using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Reports;

/// <summary>training.json of a model version: what it was trained on, how, and from what.</summary>
public sealed record TrainingRecord
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = "training.json";

    /// <summary>The name of the file that holds the <see cref="EvaluationMetrics"/>.</summary>
    public const string MetricsFileName = "metrics.json";

    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>What it started from: a preset, or a checkpoint's name.</summary>
    public required string Base { get; init; }

    /// <summary>The registry's version that it started from, or null.</summary>
    public string? Parent { get; init; }

    /// <summary>The settings of the pretraining on the same texts that came first; null where there was none.</summary>
    public PretrainingOptions? Pretraining { get; init; }

    /// <summary>The folders of the models that taught it; null where there were none.</summary>
    public IReadOnlyList<string>? Teachers { get; init; }

    /// <summary>The files that were read.</summary>
    public required IReadOnlyList<TrainingSource> Data { get; init; }

    /// <summary>Rows learned from.</summary>
    public required int TrainRows { get; init; }

    /// <summary>Rows held out.</summary>
    public required int EvaluationRows { get; init; }

    /// <summary>Every setting.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>How it went.</summary>
    public required TrainingResult Result { get; init; }

    /// <summary>cpu or cuda.</summary>
    public required string Device { get; init; }

    /// <summary>Writes training.json, and metrics.json where there are metrics, into a checkpoint folder.</summary>
    public void Save(string folder)
    {
        File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Readable));
        if (Result.Evaluation is { } metrics)
            File.WriteAllText(Path.Combine(folder, MetricsFileName), JsonSerializer.Serialize(metrics, Readable));
    }
}

/// <summary>A file that a model was trained on.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ETag">Its ETag where it came from blob storage.</param>
/// <param name="Rows">Labelled rows it gave.</param>
public sealed record TrainingSource(string Name, string? ETag, int Rows);
