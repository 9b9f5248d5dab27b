namespace ServerlessBert.Modeling;

/// <summary>What a training logged.</summary>
/// <param name="Steps">Steps, in order.</param>
/// <param name="Evaluations">Evaluations, in order.</param>
public sealed record LoggedTraining(IReadOnlyList<LoggedStep> Steps, IReadOnlyList<LoggedEvaluation> Evaluations)
{
    /// <summary>Nothing.</summary>
    public static LoggedTraining None { get; } = new([], []);
}

/// <summary>A logged optimizer step: a line of the training log.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="Loss">Its loss, in nats.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="GradientNorm">Its gradient's norm before clipping.</param>
/// <param name="Tokens">Real tokens since the start.</param>
/// <param name="PaddedTokens">Tokens since the start, padding included.</param>
/// <param name="Seconds">Time since the start.</param>
public sealed record LoggedStep(int Step, double Epoch, double Loss, double LearningRate, double GradientNorm, long Tokens, long PaddedTokens, double Seconds);

/// <summary>A logged evaluation: a line of the training log.</summary>
/// <param name="Step">The step after which it was.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="TrainingLoss">Mean loss of the last steps before it, in nats.</param>
/// <param name="Seconds">Time since the start.</param>
/// <param name="Evaluation">The metrics on held-out rows.</param>
public sealed record LoggedEvaluation(int Step, double Epoch, double TrainingLoss, double Seconds, EvaluationMetrics Evaluation);
