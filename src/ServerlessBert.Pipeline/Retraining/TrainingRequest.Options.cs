using System.Text.Json;
using System.Text.Json.Nodes;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>The training options that a request may give, by the names that <see cref="TrainingOptions"/> has; null takes the default of the start.</summary>
public sealed partial record TrainingRequest
{
    private static readonly HashSet<string> OptionNames = [.. PipelineJson.Of<TrainingOptions>().Properties.Select(property => property.Name)];

    /// <summary>Passes over the data.</summary>
    public double? Epochs { get; init; }

    /// <summary>Most optimizer steps.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Most rows to learn from, drawn with the seed.</summary>
    public int? MaxRows { get; init; }

    /// <summary>Most rows to choose the best weights on, drawn with the seed.</summary>
    public int? MaxEvaluationRows { get; init; }

    /// <summary>Reviews a forward pass.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Batches whose gradients make one step.</summary>
    public int? GradientAccumulation { get; init; }

    /// <summary>Longest review in tokens.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Whether every review is padded to the longest length.</summary>
    public bool? PadToMax { get; init; }

    /// <summary>adamW or sgd.</summary>
    public OptimizerKind? Optimizer { get; init; }

    /// <summary>SGD's momentum.</summary>
    public double? Momentum { get; init; }

    /// <summary>The schedule's peak learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The rate after the warm-up: linear, cosine or constant.</summary>
    public ScheduleKind? Schedule { get; init; }

    /// <summary>Share of the steps over which the rate climbs.</summary>
    public double? WarmupRatio { get; init; }

    /// <summary>The same as a number of steps.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Decay of weights.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Largest norm of the gradient; 0 turns clipping off.</summary>
    public double? MaxGradientNorm { get; init; }

    /// <summary>A layer's learning rate as a share of the next higher one's.</summary>
    public double? LayerDecay { get; init; }

    /// <summary>What a moving average of the weights keeps of itself a step; the average is what is kept.</summary>
    public double? AverageDecay { get; init; }

    /// <summary>Whether the embeddings stay as they are.</summary>
    public bool? FreezeEmbeddings { get; init; }

    /// <summary>Encoder layers, from the input, that stay as they are.</summary>
    public int? FrozenLayers { get; init; }

    /// <summary>Share of a rating's probability that is spread over all ratings.</summary>
    public double? LabelSmoothing { get; init; }

    /// <summary>The loss's weight of each rating, one star first.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Whether ratings weigh in inverse proportion to their rows.</summary>
    public bool? BalancedClasses { get; init; }

    /// <summary>Dropout of hidden states.</summary>
    public double? HiddenDropout { get; init; }

    /// <summary>Dropout of attention.</summary>
    public double? AttentionDropout { get; init; }

    /// <summary>Dropout before the classifier.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Seed of split, order, dropout and fresh weights.</summary>
    public int? Seed { get; init; }

    /// <summary>Number type of the encoder's products: auto, float32 or bFloat16.</summary>
    public InferenceDtype? Compute { get; init; }

    /// <summary>Steps between evaluations.</summary>
    public int? EvaluateEvery { get; init; }

    /// <summary>Evaluations without a better accuracy after which training stops.</summary>
    public int? Patience { get; init; }

    /// <summary>Whether the weights of the best evaluation are kept, not the last ones.</summary>
    public bool? KeepBest { get; init; }

    /// <summary>The options of a training with what the request gives in their place: a field that has an option's name is that option.</summary>
    /// <param name="defaults">What holds where the request says nothing.</param>
    public TrainingOptions Over(TrainingOptions defaults)
    {
        JsonObject options = JsonSerializer.SerializeToNode(defaults, PipelineJson.Of<TrainingOptions>())!.AsObject();
        foreach ((string name, JsonNode? value) in JsonSerializer.SerializeToNode(this, PipelineJson.Of<TrainingRequest>())!.AsObject())
        {
            if (OptionNames.Contains(name)) options[name] = value?.DeepClone();
        }
        return options.Deserialize(PipelineJson.Of<TrainingOptions>())!;
    }
}

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
        ?? (request.ClassWeights?.All(double.IsFinite) == false ? "A training request's classWeights are not all finite numbers; give a number above 0 for each rating." : null)
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
