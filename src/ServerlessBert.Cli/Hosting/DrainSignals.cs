using System.Runtime.InteropServices;

namespace ServerlessBert.Cli.Hosting;

/// <summary>Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the program at once.</summary>
internal sealed class DrainSignals : IDisposable
{
    private readonly Action stop;
    private readonly PosixSignalRegistration[] registrations;
    private int signals;

    /// <summary>Listens.</summary>
    public DrainSignals(Action stop)
    {
        this.stop = stop;
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref signals) == 1) stop();
        else Environment.Exit(context.Signal == PosixSignal.SIGINT ? 130 : 143);
    }
}
