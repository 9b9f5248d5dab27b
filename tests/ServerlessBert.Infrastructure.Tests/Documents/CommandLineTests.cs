using System.Text.RegularExpressions;

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

    private static string[] Blocks(string document)
    {
        string[] blocks =
            [.. Regex.Matches(Repository.Read("docs", document), @"(?s)^ *```sh\n(.*?)^ *```", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value)];
        return blocks;
    }
}
