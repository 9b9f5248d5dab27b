namespace ServerlessBert.Pipeline.Messages;

/// <summary>A queue message that cannot be read: not JSON, an unknown version, a field missing or out of range.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="inner">What the JSON reader said, if it was that.</param>
public sealed class MessageFormatException(string message, Exception? inner = null) : FormatException(message, inner);
