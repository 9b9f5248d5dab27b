using System.Text.Json;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;

namespace ServerlessBert.Pipeline.Messages;

/// <summary>What a training request may say: a misspelt field or an absurd value must not cost hours of a GPU.</summary>
public static class TrainingRequestRules
{
    /// <summary>The names of BERT's presets, smallest first.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["tiny", "mini", "small", "base"];

    private static readonly string[] Fields = [.. PipelineJson.Of<TrainingRequest>().Properties.Select(property => property.Name)];

    /// <summary>The first thing wrong with a request as a sentence, or null.</summary>
    public static string? FirstProblem(TrainingRequest request) =>
        Data(request.Data)
        ?? Base(request.Base)
        ?? Range("epochs", request.Epochs, 0.001, 1000, "passes over the data")
        ?? Range("batchSize", request.BatchSize, 1, 4096, "reviews a step")
        ?? Range("learningRate", request.LearningRate, 1e-8, 0.1, "as 2e-5")
        ?? Range("warmupRatio", request.WarmupRatio, 0, 0.99, "a share of the steps")
        ?? Range("weightDecay", request.WeightDecay, 0, 0.99, "as 0.01")
        ?? Range("vocabularySize", request.VocabularySize, 100, 1_000_000, "word pieces")
        ?? Range("maxLength", request.MaxLength, 3, 8192, "tokens with the special ones")
        ?? Range("maxSteps", request.MaxSteps, 1, 100_000_000, "optimizer steps")
        ?? Range("evalFraction", request.EvalFraction, 0.0001, 0.9, "a share of the rows")
        ?? Range("tolerance", request.Tolerance, 0, 1, "accuracy, as 0.005")
        ?? Range("significance", request.Significance, 1e-9, 1, "a p-value, as 0.05")
        ?? Options(request);

    internal static void RefuseUnknownFields(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return;
        foreach (var property in json.EnumerateObject())
        {
            if (!Fields.Contains(property.Name))
                throw new MessageFormatException($"A training request has the unknown field \"{property.Name}\"; the fields are {string.Join(", ", Fields)}.");
        }
    }

    private static string? Data(IReadOnlyList<string>? data) =>
        data is { Count: 0 } ? "A training request's data is an empty list; leave it out to train on all of training-data/."
        : data is not null && data.Any(string.IsNullOrWhiteSpace) ? "A training request's data has an empty name; give names or prefixes of blobs in training-data/."
        : null;

    private static string? Base(string? start)
    {
        if (start is null or "current") return null;
        if (start.StartsWith("preset:", StringComparison.Ordinal) && Presets.Contains(start["preset:".Length..])) return null;
        if (start.StartsWith("version:", StringComparison.Ordinal) && ModelVersion.IsValid(start["version:".Length..])) return null;
        return $"A training request's base is \"{start}\"; it may be current, {string.Join(", ", Presets.Select(preset => "preset:" + preset))}, or version: with a published version.";
    }

    // The trainer's own rules for all other options.
    private static string? Options(TrainingRequest request)
    {
        try
        {
            request.Over(request.Base?.StartsWith("preset:", StringComparison.Ordinal) == true ? TrainingOptions.FromScratch : new TrainingOptions()).Validate();
            return null;
        }
        catch (TrainingException exception)
        {
            return $"A training request cannot be fulfilled: {exception.Message}";
        }
    }

    private static string? Range(string field, double? value, double least, double most, string unit) =>
        value is null || (value >= least && value <= most)
            ? null
            : FormattableString.Invariant($"A training request's {field} is {value}; it may be {least} to {most} ({unit}).");
}
