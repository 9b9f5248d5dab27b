using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ServerlessBert.Pipeline.Storage;
using Xunit;

namespace ServerlessBert.Testing;

/// <summary>
/// A real Azurite on free ports over a temporary folder, for as long as a test collection runs. It can be stopped and started
/// again on the same folder and ports.
/// </summary>
public sealed partial class AzuriteFixture : IAsyncLifetime
{
    // Azurite's published development account; no secret.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("azurite-").FullName;
    private Process? _process;
    private int _blobs, _queues;

    /// <summary>The connection string of this Azurite.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Containers and queues of its own for one test, created.</summary>
    public async Task<PipelineStorage> NewStorageAsync()
    {
        var storage = PipelineStorage.FromConnectionString(ConnectionString, NewPrefix());
        await storage.CreateAsync();
        return storage;
    }

    /// <summary>A prefix that no other test has.</summary>
    public static string NewPrefix() => "t" + Guid.NewGuid().ToString("N")[..10] + "-";

    /// <summary>Starts Azurite and waits until blobs and queues answer.</summary>
    public async Task InitializeAsync()
    {
        var start = new ProcessStartInfo(
            Find())
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        string[] arguments =
            ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", _folder, "--blobPort", $"{_blobs}", "--queuePort",
            $"{_queues}", "--tablePort", "0"];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();

        using var patience = new CancellationTokenSource(Patience);
        int blobs = 0, queues = 0; // 0, any free one, the first time
        while (blobs == 0 || queues == 0)
        {
            string line = await _process.StandardOutput.ReadLineAsync(patience.Token)
                ?? throw new InvalidOperationException("Azurite ended before it listened.");
            if (Listening().Match(line) is not { Success: true } match) continue;
            int port = int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture);
            if (match.Groups["service"].Value == "Blob") blobs = port;
            if (match.Groups["service"].Value == "Queue") queues = port;
        }
        _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        (_blobs, _queues) = (blobs, queues);
        ConnectionString =
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://127.0.0.1:{blobs}/{Account};QueueEndpoint=http://127.0.0.1:{queues}/{Account};";
    }

    /// <summary>
    /// Asks Azurite to end, which writes what it holds to its folder; <see cref="InitializeAsync"/> starts it again there.
    /// </summary>
    public async Task StopAsync()
    {
        using Process process = _process ?? throw new InvalidOperationException("Azurite is not running.");
        if (Signal(process.Id, Terminate) != 0) throw new InvalidOperationException("Azurite could not be asked to end.");
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        _process = null;
    }

    /// <summary>Ends Azurite and deletes what it kept.</summary>
    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "eng", "azurite", "node_modules", ".bin", "azurite");
            if (File.Exists(candidate)) return candidate;
        }
        throw new InvalidOperationException("Azurite is not installed in eng/azurite; run ./setup.");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int processId, int signal);

    [GeneratedRegex(@"Azurite (?<service>\w+) service (is successfully listening|successfully listens) (at|on) http://[^:]+:(?<port>\d+)")]
    private static partial Regex Listening();
}
