namespace ServerlessBert.Modeling;

/// <summary>Training cannot start or go on: bad data, a bad option, a loss that is no number.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="cause">What it came from, or null.</param>
public sealed class TrainingException(string message, Exception? cause = null) : ServerlessBertException(message, cause);
