using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling;

/// <summary>How a training went.</summary>
public sealed record TrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>Why it ended.</summary>
    public required TrainingEnd End { get; init; }

    /// <summary>Whether it was cancelled before its last step; the weights are those it had then.</summary>
    public bool IsCancelled => End == TrainingEnd.Cancelled;

    /// <summary>Wall time in seconds, evaluations and pieces before a resumption included.</summary>
    public required double Seconds { get; init; }

    /// <summary>Reviews a second.</summary>
    public required double ReviewsPerSecond { get; init; }

    /// <summary>Real tokens a second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Share of the computed tokens that was padding.</summary>
    public required double PaddingShare { get; init; }

    /// <summary>Mean loss of the last 100 steps, in nats.</summary>
    public required double FinalLoss { get; init; }

    /// <summary>Metrics on the held-out rows of the weights that were kept; null without such rows.</summary>
    public required EvaluationMetrics? Evaluation { get; init; }

    /// <summary>The temperature fitted on the held-out rows; null without such rows.</summary>
    public required Calibration? Calibration { get; init; }

    /// <summary>The step whose weights were kept.</summary>
    public required int KeptStep { get; init; }

    /// <summary>Every evaluation, in order.</summary>
    public required IReadOnlyList<EvaluatedStep> Evaluations { get; init; }

    /// <summary>The kept weights' probabilities for the held-out rows before calibration, [rows][labels], in the rows' order; null without such rows. Not saved.</summary>
    [JsonIgnore]
    public IReadOnlyList<float[]>? HeldOutProbabilities { get; init; }
}

/// <summary>Why a training ended.</summary>
public enum TrainingEnd
{
    /// <summary>All steps are done.</summary>
    Completed,

    /// <summary>Accuracy had not risen for <see cref="TrainingOptions.Patience"/> evaluations.</summary>
    EarlyStopping,

    /// <summary><see cref="TrainingOptions.MaxHours"/> had passed.</summary>
    TimeLimit,

    /// <summary>It was told to stop.</summary>
    Cancelled,
}
