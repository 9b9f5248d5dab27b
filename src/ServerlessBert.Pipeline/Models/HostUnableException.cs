namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// This host cannot get or load a model that another host may well load: no disk, no memory, no way to storage, a dtype
/// that its processor does not have. It is the host's failure, neither the model's nor that of the batch in hand.
/// </summary>
/// <param name="message">One sentence: which model, and what this host lacks.</param>
/// <param name="inner">What was thrown underneath.</param>
public sealed class HostUnableException(string message, Exception? inner = null) : ServerlessBertException(message, inner);
