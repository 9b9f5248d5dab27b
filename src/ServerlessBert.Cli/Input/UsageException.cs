using ServerlessBert.Cli.Output;

namespace ServerlessBert.Cli.Input;

/// <summary>The command was given in a way that cannot work; ends with <see cref="ExitCode.Usage"/>.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
internal sealed class UsageException(string message) : ServerlessBertException(message);
