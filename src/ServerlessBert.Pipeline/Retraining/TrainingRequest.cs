using System.Text.Json;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>A training to run: the body of a message in <c>training-requests</c>.</summary>
public sealed partial record TrainingRequest
{
    private const string What = "training-requests";

    /// <summary>The message's schema, 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Names or prefixes of blobs in training-data/; null takes all of them.</summary>
    public IReadOnlyList<string>? Data { get; init; }

    /// <summary>Where to start: <c>current</c> (the live model), <c>preset:tiny|mini|small|base</c> or <c>version:&lt;version&gt;</c>. Null takes the live model, or preset mini when there is none.</summary>
    public string? Base { get; init; }

    /// <summary>With a preset, most word pieces of its vocabulary.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Share of the rows held out for evaluation.</summary>
    public double? EvalFraction { get; init; }

    /// <summary>How much less accurate than the live model the new one may be and still go live, 0 to 1; null takes the job's setting.</summary>
    public double? Tolerance { get; init; }

    /// <summary>Where given, the new model must also be better with at most this p-value of McNemar's test, such as 0.05.</summary>
    public double? Significance { get; init; }

    /// <summary>Who asked: <c>schedule</c>, <c>sbert</c> or anything else, for the log.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>The message's body.</summary>
    public BinaryData ToBody() => new(JsonSerializer.SerializeToUtf8Bytes(this, PipelineJson.Of<TrainingRequest>()));

    /// <summary>Reads and checks a message's body.</summary>
    /// <exception cref="MessageFormatException">It is not JSON, has a field that is not known, or a value that no training can have.</exception>
    public static TrainingRequest Parse(BinaryData body)
    {
        var json = MessageReader.ReadJson(body, What);
        TrainingRequestRules.RefuseUnknownFields(json);
        var request = MessageReader.Read(json, PipelineJson.Of<TrainingRequest>(), What);
        if (TrainingRequestRules.FirstProblem(request) is { } problem) throw new MessageFormatException(problem);
        return request;
    }
}
