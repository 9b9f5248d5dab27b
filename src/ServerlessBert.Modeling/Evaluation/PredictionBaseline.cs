using System.Text.Json;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Evaluation;

/// <summary>
/// baseline.json of a model version: what its predictions on the evaluation set look like. Later predictions are compared
/// with it, which needs no labels.
/// </summary>
public sealed record PredictionBaseline
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = "baseline.json";

    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Rows predicted.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows by predicted stars; index 0 is one star.</summary>
    public required IReadOnlyList<long> Stars { get; init; }

    /// <summary>Mean of the predictions' confidence.</summary>
    public required double MeanConfidence { get; init; }

    /// <summary>Standard deviation of the predictions' confidence.</summary>
    public required double ConfidenceDeviation { get; init; }

    /// <summary>Tokens that the model saw.</summary>
    public required long Tokens { get; init; }

    /// <summary>How many of them were [UNK].</summary>
    public required long UnknownTokens { get; init; }

    /// <summary>Describes predictions.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static PredictionBaseline Of(IReadOnlyList<Classification> predictions)
    {
        if (predictions.Count == 0) throw new ArgumentException("A profile needs at least one prediction.", nameof(predictions));
        double mean = predictions.Average(one => (double)one.Confidence);
        int labels = predictions[0].Probabilities.Length;
        return new PredictionBaseline
        {
            Rows = predictions.Count,
            Stars = [.. Enumerable.Range(1, labels).Select(stars => predictions.LongCount(one => one.Stars == stars))],
            MeanConfidence = mean,
            ConfidenceDeviation = Math.Sqrt(predictions.Average(one => (one.Confidence - mean) * (one.Confidence - mean))),
            Tokens = predictions.Sum(one => (long)one.Tokens),
            UnknownTokens = predictions.Sum(one => (long)one.UnknownTokens),
        };
    }

    /// <summary>Writes baseline.json into a checkpoint folder.</summary>
    public void Save(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Readable));
}
