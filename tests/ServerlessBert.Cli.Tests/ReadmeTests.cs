using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using ServerlessBert.LocalHost;

namespace ServerlessBert.Cli.Tests;

/// <summary>What the documentation tells people to type is what sbert takes.</summary>
public partial class ReadmeTests
{
    public static TheoryData<string> Commands =>
        [.. Documents().SelectMany(File.ReadLines).Select(line => SbertCommand().Match(line)).Where(match => match.Success)
        .Select(match => match.Groups[1].Value.Trim())];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_documented_command_is_one(string line) =>
        Assert.Empty(CommandLine.CreateRoot().Parse([.. CommandLineParser.SplitCommandLine(line)]).Errors);

    [Fact]
    public void Every_link_leads_to_something()
    {
        foreach (string document in Documents())
            foreach (Match link in LocalLink().Matches(File.ReadAllText(document)))
                Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, link.Groups[1].Value)), $"{document}: {link.Value}");
    }

    private static IEnumerable<string> Documents()
    {
        string repository = RepositoryFolder.Find() ?? throw new InvalidOperationException("The tests run inside of the repository.");
        return [Path.Combine(repository, "README.md"), .. Directory.EnumerateFiles(Path.Combine(repository, "docs"), "*.md")];
    }

    [GeneratedRegex(@"^\./sbert ([^#]+)")]
    private static partial Regex SbertCommand();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)")]
    private static partial Regex LocalLink();
}
