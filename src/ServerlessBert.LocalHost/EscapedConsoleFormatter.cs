using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using ServerlessBert.Pipeline.Operations;

namespace ServerlessBert.LocalHost;

/// <summary>
/// The log on a terminal: one line an entry, its text escaped. Names of files and texts of messages stand in it, and they are anybody's.
/// </summary>
internal sealed class EscapedConsoleFormatter() : ConsoleFormatter(FormatterName)
{
    /// <summary>The name that the console logger finds it by.</summary>
    public const string FormatterName = "escaped";

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        string cause = logEntry.Exception is { } exception ? $" {exception}" : "";
        textWriter.WriteLine($"{NameOf(logEntry.LogLevel)}: {logEntry.Category}: {TerminalText.Escape(message + cause)}");
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        LogLevel.Critical => "crit",
        _ => level.ToString().ToLowerInvariant(),
    };
}
