using System.CommandLine;
using ServerlessBert.Cli.Help;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>What help shows: examples that work, options under headings, and lines that fit.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Verbs => [.. Leaves(CommandLine.CreateRoot()).Select(verb => verb.Words())];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_has_examples_and_they_parse(string verb)
    {
        Assert.NotEmpty(Examples.Of(verb));
        Assert.All(Examples.Of(verb).Where(example => !example.StartsWith("source", StringComparison.Ordinal)), example =>
        {
            string line = example.Split('|').First(part => part.TrimStart().StartsWith("sbert ", StringComparison.Ordinal)).Split(" < ")[0];
            ParseResult parsed = CommandLine.CreateRoot().Parse(line.Trim()["sbert ".Length..]);
            Assert.Empty(UsageErrors.Of(parsed));
            Assert.Equal(verb, parsed.CommandResult.Command.Words());
        });
    }

    [Fact]
    public void No_example_is_of_a_verb_that_does_not_exist() =>
        Assert.Empty(Examples.ByVerb.Keys.Except(Leaves(CommandLine.CreateRoot()).Select(verb => verb.Words())));

    [Theory]
    [MemberData(nameof(Verbs))]
    public void No_line_of_help_is_longer_than_the_terminal_but_examples(string verb)
    {
        Command command = Leaves(CommandLine.CreateRoot()).Single(each => each.Words() == verb);
        foreach (int width in new[] { 70, 80, 120 })
        {
            string[] lines = [.. HelpPage.Lines(command, width)];
            Assert.DoesNotContain(
                lines, line => line.Length > width && !line.StartsWith("  sbert ", StringComparison.Ordinal)
                && !line.Contains(" | ", StringComparison.Ordinal)
                && line.TrimStart().Contains(' ', StringComparison.Ordinal));
            Assert.Contains("Examples:", lines);
        }
    }

    [Fact]
    public async Task Options_of_training_stand_under_their_headings_with_defaults()
    {
        var result = await SbertProcess.RunAsync(["train", "--help"]);

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        int[] places = [.. new[] { "Data:", "Model:", "Optimization:", "Regularization:", "Evaluation:", "Output:" }.Select(
            heading => result.Output.IndexOf($"\n{heading}\n", StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.Contains("(5e-5", result.Output, StringComparison.Ordinal);
        Assert.Contains("auto|float32|", (await SbertProcess.RunAsync(["classify", "--help"])).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tarin", "train")]
    [InlineData("--JSON", "--json")]
    [InlineData("--output", "--out")]
    [InlineData("lst", "list")]
    [InlineData("frobnicate", null)]
    public void The_nearest_word_is_suggested_and_none_that_is_far(string typed, string? meant) =>
        Assert.Equal(meant, Suggestions.Nearest(typed, ["train", "trainer", "pretrain", "--json", "--out", "list", "status"]));

    [Theory]
    [InlineData("", "abc", 3)]
    [InlineData("tarin", "train", 1)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance_counts_letters_inserted_removed_replaced_and_swapped(string from, string to, int distance)
    {
        Assert.Equal(distance, Suggestions.Distance(from, to));
        Assert.Equal(distance, Suggestions.Distance(to, from));
    }

    [Fact]
    public async Task The_version_is_that_of_the_tags_of_git()
    {
        var result = await SbertProcess.RunAsync(["--version"]);

        Assert.Matches(@"^\d+\.\d+\.\d+", result.Output);
    }

    private static IEnumerable<Command> Leaves(Command command) =>
        command.Subcommands.Count == 0 ? [command] : command.Subcommands.SelectMany(Leaves);
}
