using System.Text.RegularExpressions;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Infrastructure.Tests;

public sealed class CommandLineTests
{
    public static TheoryData<string> Documents => ["deploy.md", "kubernetes.md", "troubleshooting.md"];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Each_block_of_commands_is_a_script_that_a_shell_reads(string document)
    {
        if (document != "troubleshooting.md") Assert.NotEmpty(Blocks(document));
        foreach (string block in Blocks(document))
        {
            var outcome = Repository.Run("bash", ["-n", "-c", block]);
            Assert.True(outcome.ExitCode == 0, outcome.Error + block);
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Each_verb_and_option_of_sbert_exists(string document)
    {
        string commands = string.Concat(Directory.GetFiles(Repository.PathOf("src", "ServerlessBert.Cli"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        string[] bound = [.. OptionSet<TrainingOptions>.All.Concat(OptionSet<TrainingStart.FromScratch>.All).Select(option => option.Name)];
        foreach (Match line in Regex.Matches(Repository.Read("docs", document), @"\./sbert ((?:[a-z]+)(?: [^\n`#]*)?)"))
        {
            string[] words = line.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Contains($"new(\"{words[0]}\"", commands.Replace("new Command(", "new(", StringComparison.Ordinal), StringComparison.Ordinal);
            foreach (string option in words.Where(word => word.StartsWith("--", StringComparison.Ordinal))) Assert.True(bound.Contains(option) || commands.Contains($"\"{option}\"", StringComparison.Ordinal), option);
        }
    }

    private static string[] Blocks(string document)
    {
        string[] blocks = [.. Regex.Matches(Repository.Read("docs", document), @"(?s)^ *```sh\n(.*?)^ *```", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
        return blocks;
    }
}
