using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace ServerlessBert.Trainer.Tests;

/// <summary>The trainer as the job runs it: a process of its own, which a test may end at any moment.</summary>
internal sealed class TrainerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly List<string> said = [];

    private TrainerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Everything that it said.</summary>
    public string Said
    {
        get
        {
            lock (said) return string.Join('\n', said);
        }
    }

    /// <summary>Starts it.</summary>
    /// <param name="environment">Its settings.</param>
    public static TrainerProcess Start(IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(
            "dotnet")
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ServerlessBert.Trainer.dll"));
        start.ArgumentList.Add("--once");
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new TrainerProcess(Process.Start(start)!);
    }

    /// <summary>Waits for a logged message that begins like this.</summary>
    /// <returns>False when it ended without one.</returns>
    public async Task<bool> SaysAsync(string beginning)
    {
        using var patience = new CancellationTokenSource(Patience);
        await foreach (string line in lines.Reader.ReadAllAsync(patience.Token))
        {
            if (MessageOf(line).StartsWith(beginning, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    /// <summary>Ends it with SIGKILL.</summary>
    public Task KillAsync()
    {
        process.Kill();
        return EndAsync();
    }

    /// <summary>Asks it to end with SIGTERM.</summary>
    public void Stop() => _ = Signal(process.Id, Terminate);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        lines.Writer.TryComplete();
        return process.ExitCode;
    }

    /// <summary>Waits for its end, and for the exit code that it must have.</summary>
    public async Task MustEndAsync(int exitCode)
    {
        int code = await EndAsync();
        Assert.True(code == exitCode, $"It ended with {code} and not {exitCode}. It said:\n{Said}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await KillAsync();
        process.Dispose();
    }

    // "info: ServerlessBert.Trainer.TrainingJob[600] message", on one line.
    private static string MessageOf(string line) =>
        line.IndexOf("] ", StringComparison.Ordinal) is >= 0 and var end ? line[(end + 2)..] : line;

    private void Take(string? line)
    {
        if (line is null) return;
        lock (said) said.Add(line);
        lines.Writer.TryWrite(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int processId, int signal);
}
