using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ServerlessBert.LocalHost;

/// <summary>A program that this one started, and ends when it ends.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const string SetSession = "/usr/bin/setsid";
    private static readonly ConcurrentDictionary<ChildProcess, bool> Running = new();
    private readonly Process process;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) => AskAll();

    private ChildProcess(Process process)
    {
        this.process = process;
        Running[this] = true;
    }

    /// <summary>Asks every one that runs to end, where this program ends without disposing them.</summary>
    public static void AskAll()
    {
        foreach (ChildProcess child in Running.Keys) child.Ask();
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>
    /// Starts a program in a session of its own where the system has one, so that a terminal's Ctrl-C reaches it only through us.
    /// </summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Set beside our own environment.</param>
    /// <param name="onLine">Called for every line of output.</param>
    /// <exception cref="Win32Exception">The program cannot be started.</exception>
    public static ChildProcess Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, Action<string> onLine)
    {
        string[] line = File.Exists(SetSession) ? [SetSession, .. command] : [.. command];
        var start = new ProcessStartInfo(
            line[0], line[1..])
        { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, data) => Pass(data.Data);
        process.ErrorDataReceived += (_, data) => Pass(data.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(process);

        void Pass(string? text)
        {
            if (text is not null) onLine(text);
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode;
    }

    /// <summary>Asks it to end, and ends it after a timeout.</summary>
    public async Task StopAsync(TimeSpan timeout)
    {
        Ask();
        using var ending = new CancellationTokenSource(timeout);
        await process.WaitForExitAsync(ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!process.HasExited) process.Kill(entireProcessTree: true);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Running.TryRemove(this, out _);
        if (!process.HasExited) await StopAsync(TimeSpan.FromSeconds(5));
        process.Dispose();
    }

    private void Ask()
    {
        if (process.HasExited) return;
        if (OperatingSystem.IsWindows()) process.Kill(entireProcessTree: true);
        else _ = Signal(process.Id, Terminate);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int processId, int signal);
}
