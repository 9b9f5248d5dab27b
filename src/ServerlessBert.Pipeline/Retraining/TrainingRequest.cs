using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>A training to run: the body of a message in <c>training-requests</c>.</summary>
public sealed record TrainingRequest
{
    /// <summary>The share of the rows that is held out where nothing else was asked for.</summary>
    public const double DefaultEvalFraction = 0.1;

    private const string What = "training-requests";

    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Names or prefixes of blobs in training-data/; null takes all of them.</summary>
    public IReadOnlyList<string>? Data { get; init; }

    /// <summary>
    /// Where to start: <c>current</c> (the live model), <c>preset:tiny|mini|small|base</c> or <c>version:&lt;version&gt;</c>.
    /// Null takes the live model, or preset mini when there is none.
    /// </summary>
    [Option("--base", Help = "current, preset:tiny, mini, small or base, or version: with a published version")]
    public string? Base { get; init; }

    /// <summary>With a preset, most word pieces of its vocabulary.</summary>
    [Option("--vocab-size"), Range(TrainingStart.MinVocabularySize, TrainingStart.MaxVocabularySize)]
    public int? VocabularySize { get; init; }

    /// <summary>Share of the rows held out for evaluation.</summary>
    [Option("--eval-fraction", Group = OptionGroup.Evaluation,
        Help = "Share of the rows held out to measure on; 0 holds none out", Example = "0.1")]
    [Range(0.0, 0.9)]
    public double? EvalFraction { get; init; }

    /// <summary>How much less accurate than the live model the new one may be and still go live; null takes the job's setting.</summary>
    [Option("--tolerance", Group = OptionGroup.Evaluation, NullMeans = "the job's setting, 0.005", Example = "0.005",
        Help = "With --queue: how much less accurate than the live model the new one may be and still go live")]
    [Range(0.0, 1)]
    public double? Tolerance { get; init; }

    /// <summary>Where given, the new model must also be better with at most this p-value of McNemar's test, such as 0.05.</summary>
    [Option("--significance", Group = OptionGroup.Evaluation, NullMeans = "the job's setting, none", Example = "0.05",
        Help = "With --queue: the new model must also be better with at most this p-value of McNemar's test")]
    [Range(0.0, 1, MinimumIsExclusive = true)]
    public double? Significance { get; init; }

    /// <summary>Who asked: <c>schedule</c>, <c>sbert</c> or anything else, for the log.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>The training options that it gives, each a field of its own; the start's defaults hold for all others.</summary>
    [JsonIgnore]
    public OptionValues<TrainingOptions> Options { get; init; } = OptionValues<TrainingOptions>.None;

    /// <summary>The request with one more training option.</summary>
    /// <param name="option">The option, as <c>options => options.Epochs</c>.</param>
    /// <param name="value">Its value.</param>
    public TrainingRequest With<TValue>(Expression<Func<TrainingOptions, TValue>> option, TValue value) =>
        this with { Options = Options.With(option, value) };

    /// <summary>The message's body.</summary>
    public BinaryData ToBody()
    {
        JsonObject body = JsonSerializer.SerializeToNode(this, PipelineJson.Of<TrainingRequest>())!.AsObject();
        foreach ((OptionDescriptor option, object value) in Options.Given)
            body[option.JsonName] = JsonSerializer.SerializeToNode(value, PipelineJson.Options);
        return new BinaryData(JsonSerializer.SerializeToUtf8Bytes(body));
    }

    /// <summary>Reads and checks a message's body.</summary>
    /// <exception cref="MessageFormatException">It is not JSON, has a field that is not known, or a value that no training can
    /// have.</exception>
    public static TrainingRequest Parse(BinaryData body)
    {
        JsonElement json = MessageReader.ReadJson(body, What);
        TrainingRequestRules.RefuseUnknownFields(json);
        TrainingRequest request = MessageReader.Read(json, PipelineJson.Of<TrainingRequest>(), What) with { Options = OptionsOf(json) };
        if (TrainingRequestRules.FirstProblem(request) is { } problem) throw new MessageFormatException(problem);
        return request;
    }

    private static OptionValues<TrainingOptions> OptionsOf(JsonElement json)
    {
        OptionValues<TrainingOptions> options = OptionValues<TrainingOptions>.None;
        foreach (JsonProperty field in json.EnumerateObject())
        {
            if (TrainingRequestRules.OptionOf(field.Name) is not { } option || field.Value.ValueKind == JsonValueKind.Null) continue;
            if (!option.Type.TryRead(field.Value, out object? value))
                throw new MessageFormatException($"A training request's {option.Refusal(field.Name, field.Value.GetRawText())}");
            options = options.With(option, value);
        }
        return options;
    }
}

/// <summary>What a training request may say: a misspelt field or an absurd value must not cost hours of a GPU.</summary>
public static class TrainingRequestRules
{
    private const string Subject = "A training request's ";

    private static readonly OptionDescriptor[] Options = [.. OptionSet<TrainingOptions>.All.Where(option => !option.IsLocal)];

    /// <summary>The names of BERT's presets, smallest first.</summary>
    public static IReadOnlyList<string> Presets { get; } =
        OptionSet<TrainingStart.FromScratch>.Of(nameof(TrainingStart.FromScratch.Preset)).Type.Words;

    /// <summary>The fields beside the training options.</summary>
    public static IReadOnlyList<string> OwnFields { get; } =
    [
        .. PipelineJson.Of<TrainingRequest>().Properties
            .Where(property => property.AttributeProvider?.IsDefined(typeof(JsonIgnoreAttribute), inherit: false) != true)
            .Select(property => property.Name),
    ];

    /// <summary>Every field, by the name under which it is written.</summary>
    public static IReadOnlyList<string> Fields { get; } = [.. OwnFields, .. Options.Select(option => option.JsonName)];

    /// <summary>The training option that a field is; null for another field.</summary>
    internal static OptionDescriptor? OptionOf(string field) => Options.FirstOrDefault(option => option.JsonNames.Contains(field));

    /// <summary>The first thing wrong with a request as a sentence, or null.</summary>
    /// <param name="request">The request.</param>
    /// <param name="spelling">How options are named to whom made it; null names fields.</param>
    public static string? FirstProblem(TrainingRequest request, OptionSpelling? spelling = null)
    {
        spelling ??= OptionSpelling.Json;
        return Data(request.Data)
            ?? Base(request.Base, spelling)
            ?? (OptionSet<TrainingRequest>.FirstProblem(request, _ => true, spelling)
                ?? OptionSet<TrainingOptions>.FirstProblem(request.Options.Over(DefaultsOf(request)), request.Options.Has, spelling)) switch
            {
                { } problem when spelling == OptionSpelling.Json => Subject + problem,
                var problem => problem,
            };
    }

    internal static void RefuseUnknownFields(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return;
        foreach (JsonProperty property in json.EnumerateObject())
        {
            if (!Fields.Contains(property.Name) && OptionOf(property.Name) is null)
                throw new MessageFormatException(
                    $"A training request has the unknown field \"{property.Name}\"; the fields are {string.Join(", ", Fields)}.");
        }
    }

    private static string? Data(IReadOnlyList<string>? data) =>
        data is { Count: 0 } ? "A training request's data is an empty list; leave it out to train on all of training-data/."
        : data is not null && data.Any(string.IsNullOrWhiteSpace)
            ? "A training request's data has an empty name; give names or prefixes of blobs in training-data/."
        : null;

    private static string? Base(string? start, OptionSpelling spelling)
    {
        if (start is null or "current") return null;
        if (start.StartsWith("preset:", StringComparison.Ordinal) && Presets.Contains(start["preset:".Length..])) return null;
        if (start.StartsWith("version:", StringComparison.Ordinal) && ModelVersion.IsValid(start["version:".Length..])) return null;
        string presets = string.Join(", ", Presets.Select(preset => "preset:" + preset));
        string name = (spelling == OptionSpelling.Json ? Subject : "")
            + spelling.NameOf(OptionSet<TrainingRequest>.Of(nameof(TrainingRequest.Base)));
        return $"{name} is \"{start}\"; it may be current, {presets}, or version: with a published version.";
    }

    private static TrainingOptions DefaultsOf(TrainingRequest request) =>
        request.Base?.StartsWith("preset:", StringComparison.Ordinal) == true ? TrainingOptions.FromScratch : new TrainingOptions();
}
