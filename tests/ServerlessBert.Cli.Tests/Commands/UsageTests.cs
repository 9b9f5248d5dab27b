namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>Wrong words give one sentence on standard error, exit code 2 (usage) or 1 (the work failed), and never a stack trace.</summary>
public class UsageTests
{
    [Theory]
    [InlineData("clasify file")]
    [InlineData("predict good")]
    [InlineData("predict --model /tmp --dtype float64 good")]
    [InlineData("train --preset huge --data x.csv --out y")]
    [InlineData("train --preset tiny --base b --data x.csv --out y")]
    [InlineData("train --preset tiny --data x.csv")]
    [InlineData("train --preset tiny --data no-such-file.csv --out y")]
    [InlineData("train --preset tiny --data x.csv --out y --momentum 0.9")]
    [InlineData("train --preset tiny --data x.csv --out y --optimizer adam")]
    [InlineData("train --preset tiny --data x.csv --out y --warmup-steps 3 --warmup-ratio 0.1")]
    [InlineData("train --preset tiny --data x.csv --out y --keep-last --patience 2")]
    [InlineData("train --preset tiny --data x.csv --out y --class-weights 1,2,much")]
    [InlineData("train --preset tiny --data x.csv --out y --checkpoint-every 5 --no-checkpoints")]
    [InlineData("train --base no-such-folder --data x.csv --out y")]
    [InlineData("train --preset tiny --data x.csv --out y --layers 0")]
    [InlineData("train --queue --log-every 5")]
    [InlineData("train --queue --word-dropout 0.2")]
    [InlineData("train --queue --preset tiny --layers 1")]
    [InlineData("train --queue --teacher somewhere")]
    [InlineData("train --queue --pretrain-epochs 2")]
    [InlineData("train --queue --preset tiny --vocab-merges likelihood")]
    [InlineData("train --preset tiny --data x.csv --out y --teacher no-such-folder")]
    [InlineData("train --preset tiny --data x.csv --out y --pretrain-epochs 0")]
    [InlineData("train --preset tiny --data x.csv --out y --vocab-min-frequency 0")]
    [InlineData("pretrain --preset tiny --data x.csv")]
    [InlineData("pretrain --preset tiny --base b --data x.csv --out y")]
    [InlineData("pretrain --base no-such-folder --data x.csv --out y")]
    [InlineData("pretrain --preset tiny --data no-such-file.csv --out y")]
    [InlineData("classify no-such-file.csv --model /tmp")]
    [InlineData("drop no-such-file.csv")]
    [InlineData("tokenize")]
    [InlineData("tokenize --vocab no-such-file.txt")]
    [InlineData("predict --model no-such-folder good")]
    [InlineData("queues peek no-such-queue")]
    [InlineData("generate --rows 0 --out x.jsonl")]
    [InlineData("host --port 99999")]
    [InlineData("host --port abc")]
    [InlineData("generate --rows 99999999999 --out x.jsonl")]
    [InlineData("predict --model /tmp --threads abc good")]
    [InlineData("train --preset tiny --data x.csv --out y --max-length abc")]
    [InlineData("train --queue --base no-such-start")]
    [InlineData("train --queue --momentum 0.9")]
    [InlineData("models")]
    public async Task Wrong_usage_ends_with_2_and_says_what_is_wrong(string line)
    {
        var result = await SbertProcess.RunAsync(line.Split(' '));

        Assert.Equal(2, result.ExitCode);
        AssertOneClearReason(result);
    }

    [Fact]
    public async Task A_folder_that_is_no_checkpoint_fails_with_its_name()
    {
        using var folder = new TemporaryFolder();

        var result = await SbertProcess.RunAsync(["predict", "--model", folder.Path, "good"]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(folder.Path, result.Errors);
        AssertOneClearReason(result);
    }

    [Fact]
    public async Task Storage_that_does_not_answer_is_said_with_what_to_do()
    {
        var nowhere = new Dictionary<string, string>
        {
            ["AzureWebJobsStorage"] =
                "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aGVsbG8=;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;",
        };

        var result = await SbertProcess.RunAsync(["models", "list"], environment: nowhere);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("sbert host", result.Errors);
        AssertOneClearReason(result);
    }

    [Fact]
    public async Task Help_names_every_verb()
    {
        var result = await SbertProcess.RunAsync(["--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.All(new[] { "host", "drop", "classify", "predict", "tokenize", "train", "evaluate", "models", "queues", "status" },
            verb => Assert.Contains($"  {verb}", result.Output));
    }

    private static void AssertOneClearReason(SbertProcess.Result result)
    {
        Assert.StartsWith("sbert: ", result.Errors);
        Assert.DoesNotContain("   at ", result.Errors);
        Assert.DoesNotContain("defect", result.Errors);
    }
}
