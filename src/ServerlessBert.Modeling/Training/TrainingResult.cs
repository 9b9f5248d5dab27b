namespace ServerlessBert.Modeling;

/// <summary>How a training went.</summary>
public sealed record TrainingResult
{
    /// <summary>Optimizer steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>Whether it was stopped before its last step; the weights are those it had then.</summary>
    public required bool IsCancelled { get; init; }

    /// <summary>Wall time in seconds, evaluations included.</summary>
    public required double Seconds { get; init; }

    /// <summary>Real tokens a second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Share of the computed tokens that was padding.</summary>
    public required double PaddingShare { get; init; }

    /// <summary>Mean loss of the last 100 steps, in nats.</summary>
    public required double FinalLoss { get; init; }

    /// <summary>Metrics on the held-out rows of the weights that were kept; null without such rows.</summary>
    public required EvaluationMetrics? Evaluation { get; init; }

    /// <summary>The step whose weights were kept.</summary>
    public required int KeptStep { get; init; }
}
