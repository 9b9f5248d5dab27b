using Spectre.Console;

namespace ServerlessBert.Cli.Output;

/// <summary>Results go to standard output; progress and remarks to standard error, drawn only on a terminal.</summary>
internal static class Terminal
{
    /// <summary>Standard error.</summary>
    public static IAnsiConsole Remarks { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Whether a person watches: then bars are drawn, else lines are printed.</summary>
    public static bool IsWatched => !Console.IsErrorRedirected && Remarks.Profile.Capabilities.Interactive;

    /// <summary>One remark on standard error, as it stands.</summary>
    public static void Say(string remark) => Console.Error.WriteLine(remark);
}
