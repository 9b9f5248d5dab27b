using ServerlessBert.Pipeline.Operations;
using Spectre.Console;

namespace ServerlessBert.Cli.Output;

/// <summary>
/// All that sbert shows: results on standard output; progress, notes and errors on standard error, drawn only on a terminal. Lines
/// are escaped here and nowhere else: names, messages and texts that stand in them are anybody's.
/// </summary>
internal static class Terminal
{
    private const int WidthOfNoTerminal = 120;
    private static readonly Lazy<IAnsiConsole> ResultConsole = new(() => Create(Console.Out, Console.IsOutputRedirected));
    private static readonly Lazy<IAnsiConsole> ErrorConsole =
        new(() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }));

    /// <summary>Standard output, for tables; what is put into them is given to <see cref="TextOf"/> first.</summary>
    public static IAnsiConsole Results => ResultConsole.Value;

    /// <summary>Standard error, for bars.</summary>
    public static IAnsiConsole Errors => ErrorConsole.Value;

    /// <summary>Whether a person watches: then bars are drawn, else lines are printed.</summary>
    public static bool IsWatched => !Console.IsErrorRedirected && Errors.Profile.Capabilities.Interactive;

    /// <summary>A line of the result on standard output.</summary>
    public static void WriteLine(string line) => Console.Out.WriteLine(TerminalText.Escape(line));

    /// <summary>A result as JSON, whose own escapes it keeps.</summary>
    public static void WriteJson<T>(T value) => Console.Out.WriteLine(Json.Of(value));

    /// <summary>The same on one line.</summary>
    public static void WriteJsonLine<T>(T value) => Console.Out.WriteLine(Json.LineOf(value));

    /// <summary>A note on standard error.</summary>
    public static void Log(string note) => Console.Error.WriteLine(TerminalText.Escape(note));

    /// <summary>An error on standard error.</summary>
    public static void Fail(string sentence) => Log($"sbert: {sentence}");

    /// <summary>A cell of a table, escaped.</summary>
    public static Text TextOf(string text) => new(TerminalText.Escape(text));

    private static IAnsiConsole Create(TextWriter output, bool isRedirected)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (isRedirected) console.Profile.Width = WidthOfNoTerminal;
        return console;
    }
}

/// <summary>Numbers of things in sentences.</summary>
internal static class Count
{
    /// <summary>"1 row", "2 rows", "1,200 rows".</summary>
    public static string Of(long number, string noun, string? plural = null) =>
        FormattableString.Invariant($"{number:N0} {(number == 1 ? noun : plural ?? noun + "s")}");
}
