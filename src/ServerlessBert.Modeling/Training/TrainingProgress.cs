namespace ServerlessBert.Modeling;

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
