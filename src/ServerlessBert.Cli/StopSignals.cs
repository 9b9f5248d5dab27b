using System.Runtime.InteropServices;
using ServerlessBert.Cli.Output;
using ServerlessBert.LocalHost;

namespace ServerlessBert.Cli;

/// <summary>Ctrl-C and SIGTERM: the first is answered at once and asks the verb to stop, the second ends the program.</summary>
internal sealed class StopSignals : IDisposable
{
    private const int ExitCodeOfSignal = 128;
    private readonly CancellationTokenSource stopping = new();
    private readonly PosixSignalRegistration[] registrations;
    private int signals;

    /// <summary>Listens.</summary>
    public StopSignals() =>
        registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];

    /// <summary>Cancelled at the first signal.</summary>
    public CancellationToken Token => stopping.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        stopping.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref signals) > 1) EndNow(ExitCodeOfSignal + (context.Signal == PosixSignal.SIGINT ? 2 : 15));
        Terminal.Log("sbert: stopping; once more to end now");
        _ = stopping.CancelAsync();
    }

    // Not by Environment.Exit: libtorch's destructors would run while its threads compute, and end in a segmentation fault.
    private static void EndNow(int exitCode)
    {
        ChildProcess.AskAll();
        if (OperatingSystem.IsWindows()) Environment.Exit(exitCode);
        else Exit(exitCode);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void Exit(int exitCode);
}
