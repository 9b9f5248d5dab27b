using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Cli.Tests.Swaps;

/// <summary>A host as a process, with what it says of itself and what the system says of its memory.</summary>
internal sealed partial class RunningHost : IDisposable
{
    private static readonly HttpClient Http = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<Uri> _status = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts it.</summary>
    public RunningHost(IReadOnlyDictionary<string, string> environment)
    {
        _process = SbertProcess.Start(["host", "--no-trainer", "--no-azurite", "--port", "0"], environment);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it said last.</summary>
    public string LastLines => string.Join('\n', _log.TakeLast(40));

    /// <summary>Its own model, as /api/status says it.</summary>
    public async Task<JsonElement> ModelAsync()
    {
        Uri status = await _status.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return JsonDocument.Parse(await Http.GetStringAsync(status)).RootElement.GetProperty("host");
    }

    /// <summary>The version that answers on it; null before one is loaded.</summary>
    public async Task<string?> VersionAsync() =>
        (await ModelAsync()).TryGetProperty("version", out JsonElement version) ? version.GetString() : null;

    /// <summary>Megabytes of resident memory that the process allocated: without code, compiled or read from libraries.</summary>
    public double AllocatedMegabytes()
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        _log.Enqueue(line);
        if (StatusLine().Match(line) is { Success: true } match) _status.TrySetResult(new Uri(match.Value));
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:[0-9]+/api/status")]
    private static partial Regex StatusLine();
}
