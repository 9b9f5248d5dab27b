namespace ServerlessBert.Cli.HuggingFace;

/// <summary>A source that no checkpoint can be made of; the message is one sentence: what, where, what to do.</summary>
internal sealed class ImportException(string message, Exception? innerException = null) : ServerlessBertException(message, innerException);
