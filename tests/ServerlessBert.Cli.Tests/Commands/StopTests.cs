using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Commands;

/// <summary>What ends a verb before its work: Ctrl-C, and a port that is taken.</summary>
public sealed class StopTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 130)]
    public async Task CtrlC_is_answered_at_once_and_a_second_one_ends_the_program(int times, int exitCode)
    {
        string reviews = folder.At("many.txt"), predictions = folder.At("p.jsonl");
        File.WriteAllLines(reviews, Enumerable.Range(0, 300_000).Select(row => $"the food was very good {row}"));
        using Process sbert = SbertProcess.Start(["classify", reviews, "--model", SmallModels.Save(folder.Path), "--out", predictions]);
        await Eventually.IsTrueAsync(
            () => Directory.GetFiles(folder.Path, "*.partial") is [var partial] && new FileInfo(partial).Length > 0);

        for (int signal = 0; signal < times; signal++) Process.Start("kill", ["-INT", $"{sbert.Id}"]).WaitForExit();

        Assert.True(sbert.WaitForExit(TimeSpan.FromSeconds(10)));
        string errors = await sbert.StandardError.ReadToEndAsync();
        Assert.StartsWith("sbert: stopping; once more to end now", errors, StringComparison.Ordinal);
        // The first one may have ended it before the second one came.
        Assert.True(sbert.ExitCode == exitCode || (times == 2 && sbert.ExitCode == 1), $"{sbert.ExitCode}: {errors}");
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(predictions));
    }

    [Fact]
    public async Task A_port_in_use_is_told_in_one_sentence_before_anything_is_started()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var result = await SbertProcess.RunAsync(["host", "--no-trainer", "--port", $"{port}", "--azurite-folder", folder.At("azurite")]);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        string told = Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith(
            $"sbert: HTTP functions cannot be served at http://127.0.0.1:{port} (Address already in use)", told, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.At("azurite")));
    }
}
