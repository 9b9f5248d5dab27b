using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ServerlessBert.LocalHost;

/// <summary>A program that this one started, and ends when it ends.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const string SetSession = "/usr/bin/setsid";
    private readonly Process process;

    private ChildProcess(Process process)
    {
        this.process = process;
        AppDomain.CurrentDomain.ProcessExit += EndWithUs;
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>Starts a program in a session of its own where the system has one, so that a terminal's Ctrl-C reaches it only through us.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Set beside our own environment.</param>
    /// <param name="onLine">Called for every line of output.</param>
    /// <exception cref="Win32Exception">The program cannot be started.</exception>
    public static ChildProcess Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, Action<string> onLine)
    {
        string[] line = File.Exists(SetSession) ? [SetSession, .. command] : [.. command];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
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

    /// <summary>Asks it to end, and after some patience ends it.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        Ask();
        using var timeout = new CancellationTokenSource(patience);
        await process.WaitForExitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!process.HasExited) process.Kill(entireProcessTree: true);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= EndWithUs;
        if (!process.HasExited) await StopAsync(TimeSpan.FromSeconds(5));
        process.Dispose();
    }

    private void EndWithUs(object? sender, EventArgs arguments) => Ask();

    private void Ask()
    {
        if (process.HasExited) return;
        if (OperatingSystem.IsWindows()) process.Kill(entireProcessTree: true);
        else _ = Signal(process.Id, Terminate);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int processId, int signal);
}
