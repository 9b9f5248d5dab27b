namespace ServerlessBert.Build.Tests;

/// <summary>What the command line shows is escaped in one place, and nothing goes around it.</summary>
public sealed class ConsoleTests
{
    // Where the text is sbert's own (JSON, help, a script), or where the console is wired up.
    private static readonly string[] Allowed =
    [
        "src/ServerlessBert.Cli/Output/Terminal.cs", "src/ServerlessBert.Cli/Output/StandardOutput.cs",
            "src/ServerlessBert.Cli/Commands/CompletionCommand.cs",
    ];

    [Fact]
    public void Only_the_terminal_writes_to_the_console()
    {
        string[] forbidden = ["Console.Write", "Console.Out", "Console.Error", "AnsiConsole.Write"];

        Assert.DoesNotContain(Repository.Sources("src/ServerlessBert.Cli").Except(Allowed),
            file => forbidden.Any(name => File.ReadAllText(Repository.PathOf(file)).Contains(name, StringComparison.Ordinal)));
    }
}
