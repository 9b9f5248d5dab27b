namespace ServerlessBert.Modeling;

/// <summary>Where a training stands after an optimizer step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps in all.</param>
/// <param name="Epoch">Passes done, as a fraction.</param>
/// <param name="Loss">The step's cross-entropy, in nats.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="Tokens">Real tokens since the start.</param>
/// <param name="PaddedTokens">Tokens since the start, padding included.</param>
/// <param name="Elapsed">Time since the start.</param>
/// <param name="Evaluation">The metrics on held-out rows, at the end of an epoch.</param>
public sealed record TrainingProgress(
    int Step, int TotalSteps, double Epoch, double Loss, double LearningRate,
    long Tokens, long PaddedTokens, TimeSpan Elapsed, EvaluationMetrics? Evaluation = null);
