using System.Text.Json;

namespace ServerlessBert.Cli.Tests.Commands;

public class TokenizeCommandTests
{
    [Fact]
    public async Task Each_line_gives_a_line_of_tokens_and_ids_with_special_tokens()
    {
        using var folder = new TemporaryFolder();
        string vocabulary = folder.File("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nfood\n##s\n");

        var result = await SbertProcess.RunAsync(["tokenize", "--vocab", vocabulary, "--lowercase"], input: "Good foods\n\nzzz good\n");

        Assert.Equal(0, result.ExitCode);
        string[] lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.Equal("""{"tokens":["[CLS]","good","food","##s","[SEP]"],"ids":[2,5,6,7,3]}""", lines[0]);
        Assert.Equal([2, 3], Ids(lines[1]));
        Assert.Equal([2, 1, 5, 3], Ids(lines[2]));
    }

    private static int[] Ids(string line) => JsonDocument.Parse(line).RootElement.GetProperty("ids").Deserialize<int[]>()!;
}
