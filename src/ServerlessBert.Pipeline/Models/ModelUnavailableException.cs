namespace ServerlessBert.Pipeline.Models;

/// <summary>No model can answer: none is published, or the one asked for is absent, incomplete or damaged.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="inner">What was thrown underneath, if anything.</param>
public sealed class ModelUnavailableException(string message, Exception? inner = null) : ServerlessBertException(message, inner);
