using System.Diagnostics;
using System.Text.Json;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>The command as a person runs it: a process, its output and its exit code.</summary>
public sealed class PullCommandTests : PullTest
{
    [Fact]
    public async Task It_prints_the_folder_and_ends_with_0()
    {
        var (code, output, remarks) = await RunAsync(LocalHub.Name, "--out", Folder);
        Assert.True(code == 0, remarks);
        Assert.Equal(Folder, output.Trim());
        Assert.Contains("fetching model.safetensors", remarks, StringComparison.Ordinal);
        AssertPulled();
    }

    [Fact]
    public async Task As_json_it_tells_the_commit_and_the_files()
    {
        var (_, output, _) = await RunAsync(LocalHub.Name, "--out", Folder, "--json");
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal(LocalHub.Commit, json.RootElement.GetProperty("commit").GetString());
        Assert.Equal(Hub.Files.Count, json.RootElement.GetProperty("files").GetArrayLength());
    }

    [Fact]
    public async Task What_is_not_there_ends_with_1_and_one_sentence()
    {
        var (code, output, remarks) = await RunAsync("team/other", "--out", Folder);
        Assert.Equal((1, ""), (code, output));
        Assert.Equal($"sbert: {Hub.Endpoint} has no model named team/other.", remarks.Trim());
    }

    [Fact]
    public async Task What_is_no_name_ends_with_2() => Assert.Equal(2, (await RunAsync("../evil")).Code);

    [Fact]
    public async Task An_interrupt_keeps_the_bytes_that_came()
    {
        if (OperatingSystem.IsWindows()) return;
        using Process process = Start(LocalHub.Name, "--out", Folder);
        Hub.Interfere = async (context, toStorage) =>
        {
            if (!toStorage) return false;
            await SendBeginningAsync(context, Hub.Files[Weights].Length / 2, async () =>
            {
                using Process interrupt = Process.Start("kill", ["-INT", $"{process.Id}"]);
                await interrupt.WaitForExitAsync();
                await process.WaitForExitAsync();
            });
            return true;
        };
        string remarks = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("stopped; what was done before is kept.", remarks, StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(Folder, Weights + ".partial")).Length > 0);
        Hub.Interfere = (_, _) => Task.FromResult(false);
        await PullAsync();
        AssertPulled();
        Assert.NotNull(Hub.Transfers[^1].Range);
    }

    private async Task<(int Code, string Output, string Remarks)> RunAsync(params string[] arguments)
    {
        SbertProcess.Result result = await SbertProcess.RunAsync(["models", "pull", .. arguments], environment: Environment);
        return (result.ExitCode, result.Output, result.Errors);
    }

    private Process Start(params string[] arguments) => SbertProcess.Start(["models", "pull", .. arguments], Environment);

    private Dictionary<string, string> Environment => new() { ["HF_ENDPOINT"] = Hub.Endpoint, ["HF_TOKEN"] = "" };
}
