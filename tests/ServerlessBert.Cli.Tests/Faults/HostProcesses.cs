using System.Diagnostics;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>Hosts as processes, each started again when it has ended, as a container platform does.</summary>
internal sealed class HostProcesses(int count, IReadOnlyDictionary<string, string> environment) : IDisposable
{
    private readonly Process?[] _hosts = new Process?[count];
    private readonly List<string> _log = [];

    /// <summary>How often a host was started.</summary>
    public int Starts { get; private set; }

    /// <summary>What the hosts said last.</summary>
    public string LastLines
    {
        get
        {
            lock (_log) return string.Join('\n', _log.TakeLast(60));
        }
    }

    /// <summary>Starts those that are not running.</summary>
    public void EnsureRunning()
    {
        for (int host = 0; host < _hosts.Length; host++)
        {
            if (_hosts[host] is { HasExited: false }) continue;
            _hosts[host]?.Dispose();
            _hosts[host] = Start(host);
            Starts++;
        }
    }

    /// <summary>Ends one with SIGKILL.</summary>
    public async Task KillAsync(int host)
    {
        if (_hosts[host] is not { HasExited: false } process) return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        foreach (Process host in _hosts.OfType<Process>())
        {
            if (!host.HasExited) host.Kill(entireProcessTree: true);
            host.WaitForExit();
            host.Dispose();
        }
    }

    private Process Start(int host)
    {
        Process process = SbertProcess.Start(["host", "--no-trainer", "--no-azurite", "--port", "0"], environment);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Keep(string? line)
        {
            if (line is null) return;
            lock (_log) _log.Add($"{DateTime.UtcNow:HH:mm:ss.fff} host {host} | {line}");
        }
    }
}
