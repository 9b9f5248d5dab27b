namespace ServerlessBert.Modeling;

/// <summary>Training cannot start or go on: bad data, a bad option, a loss that is no number.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
public sealed class TrainingException(string message) : Exception(message);
