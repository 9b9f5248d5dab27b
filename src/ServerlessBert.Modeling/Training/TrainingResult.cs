using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Evaluation;

namespace ServerlessBert.Modeling.Training;

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

    /// <summary>
    /// The kept weights' probabilities for the held-out rows before calibration, [rows][labels], in the rows' order; null without
    /// such rows. Not saved.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<float[]>? HeldOutProbabilities { get; init; }
}

/// <summary>Why a training ended.</summary>
public enum TrainingEnd
{
    /// <summary>All steps are done.</summary>
    Completed,

    /// <summary>Accuracy had not risen for <see cref="TrainingOptions.EarlyStoppingPatience"/> evaluations.</summary>
    EarlyStopping,

    /// <summary><see cref="TrainingOptions.MaxHours"/> had passed.</summary>
    TimeLimit,

    /// <summary>It was told to stop.</summary>
    Cancelled,
}

/// <summary>Where a training stands after an optimizer step, or after an evaluation.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps in all.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="Loss">The step's loss, in nats; with an evaluation the mean of up to a hundred steps before it.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="Tokens">Real tokens since the start.</param>
/// <param name="PaddedTokens">Tokens since the start, padding included.</param>
/// <param name="Elapsed">Time since the start.</param>
/// <param name="Evaluation">The metrics on held-out rows, where they were measured after this step: a report of its own.</param>
/// <param name="GradientNorm">The step's gradient norm before clipping; 0 with an evaluation.</param>
/// <param name="Reviews">Reviews learned from since the start.</param>
/// <param name="IsLogged">Whether the step belongs into a log by <see cref="TrainingOptions.LogEvery"/>; evaluations always do.</param>
public sealed record TrainingProgress(
    int Step, int TotalSteps, double Epoch, double Loss, double LearningRate,
    long Tokens, long PaddedTokens, TimeSpan Elapsed, EvaluationMetrics? Evaluation = null,
    double GradientNorm = 0, long Reviews = 0, bool IsLogged = true);
