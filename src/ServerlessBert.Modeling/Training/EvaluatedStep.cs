namespace ServerlessBert.Modeling;

/// <summary>An evaluation in the course of a training.</summary>
/// <param name="Step">The step after which it was made.</param>
/// <param name="TrainingLoss">Mean loss of up to a hundred steps before it, in nats.</param>
/// <param name="Metrics">How good the weights were on the held-out rows.</param>
public sealed record EvaluatedStep(int Step, double TrainingLoss, EvaluationMetrics Metrics);
