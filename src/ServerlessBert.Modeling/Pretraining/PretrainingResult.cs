namespace ServerlessBert.Modeling;

/// <summary>How a pretraining went.</summary>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="IsCancelled">Whether it was stopped before its last step; the weights are those it had then.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="TokensPerSecond">Tokens a second; none of them is padding.</param>
/// <param name="FinalLoss">Mean cross-entropy of the last 100 steps at masked positions, in nats.</param>
public sealed record PretrainingResult(int Steps, bool IsCancelled, double Seconds, double TokensPerSecond, double FinalLoss);
