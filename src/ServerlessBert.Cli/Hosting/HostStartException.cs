namespace ServerlessBert.Cli.Hosting;

/// <summary>The host cannot start.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
/// <param name="cause">What lies behind it, for a log.</param>
public sealed class HostStartException(string message, Exception? cause = null) : Exception(message, cause);
