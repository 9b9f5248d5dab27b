using System.Collections.Concurrent;
using System.ComponentModel;
using System.Data.Common;
using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using ServerlessBert.Functions;

namespace ServerlessBert.LocalHost;

/// <summary>
/// Azurite, the storage emulator, started where development storage is configured and nothing answers there; it ends with what
/// started it.
/// </summary>
public sealed class AzuriteProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60), StopTimeout = TimeSpan.FromSeconds(10);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly ChildProcess process;

    private AzuriteProcess(ChildProcess process, string folder) => (this.process, Folder) = (process, folder);

    /// <summary>Where its data lies.</summary>
    public string Folder { get; }

    /// <summary>Starts Azurite and waits until it answers.</summary>
    /// <param name="configuration">Its <c>AzureWebJobsStorage</c> says whether development storage is meant, and on which ports.</param>
    /// <param name="folder">Where the data lies; null takes .azurite/ in the repository.</param>
    /// <param name="cancellationToken">Ends the waiting, and what was started.</param>
    /// <returns>The process, or null where another storage is configured or something already answers.</returns>
    /// <exception cref="HostStartException">Node.js or Azurite is missing, or it does not start.</exception>
    public static async Task<AzuriteProcess?> EnsureAsync(
        IConfiguration configuration, string? folder = null, CancellationToken cancellationToken = default)
    {
        if (EndpointsOf(configuration[Settings.Storage]) is not { } endpoints) return null;
        if (await AnswersAsync(endpoints, cancellationToken)) return null;

        string repository = RepositoryFolder.Find() ?? Directory.GetCurrentDirectory();
        string program = Path.Combine(repository, "eng", "azurite", "node_modules", ".bin", "azurite");
        if (!File.Exists(program))
            throw new HostStartException(
            "Nothing answers at the development storage and Azurite is not installed; run ./setup, or start a storage emulator.");
        folder ??= Path.Combine(repository, ".azurite");
        Directory.CreateDirectory(folder);

        var output = new ConcurrentQueue<string>();
        string[] command =
        [
            program, "--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
            "--blobHost", endpoints.Blob.Host, "--blobPort", $"{endpoints.Blob.Port}",
            "--queueHost", endpoints.Queue.Host, "--queuePort", $"{endpoints.Queue.Port}",
            "--tablePort", "0",
        ];
        ChildProcess child;
        try
        {
            child = ChildProcess.Start(command, new Dictionary<string, string>(), output.Enqueue);
        }
        catch (Win32Exception exception)
        {
            throw new HostStartException(
                $"Azurite cannot be started ({exception.Message}); run ./setup, which installs Node.js.", exception);
        }
        return await WaitUntilItAnswersAsync(new AzuriteProcess(child, folder), endpoints, output, cancellationToken);
    }

    /// <summary>Ends it; what it holds is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        await process.StopAsync(StopTimeout);
        await process.DisposeAsync();
    }

    private static async Task<AzuriteProcess?> WaitUntilItAnswersAsync(
        AzuriteProcess azurite, (Uri Blob, Uri Queue) endpoints, ConcurrentQueue<string> output, CancellationToken cancellationToken)
    {
        try
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < StartTimeout; await Task.Delay(100, cancellationToken))
            {
                bool exited = azurite.process.HasExited;
                if (await AnswersAsync(endpoints, cancellationToken))
                {
                    if (!exited) return azurite;
                    // Somebody else's was quicker.
                    await azurite.DisposeAsync();
                    return null;
                }
                if (exited) throw new HostStartException(
                    $"Azurite ended at once: {output.LastOrDefault(line => line.Length > 0) ?? "it printed nothing"}; run ./setup, "
                        + $"and see that its ports are free.");
            }
            throw new HostStartException(
                $"Azurite did not answer at {endpoints.Blob} and {endpoints.Queue} within {StartTimeout.TotalSeconds:0} s; see that "
                    + $"the ports are free.");
        }
        catch
        {
            await azurite.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync((Uri Blob, Uri Queue) endpoints, CancellationToken cancellationToken) =>
        await AnswersAsync(endpoints.Blob, cancellationToken) && await AnswersAsync(endpoints.Queue, cancellationToken);

    /// <summary>Any answer is one: without credentials it is a refusal.</summary>
    private static async Task<bool> AnswersAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await Http.GetAsync(endpoint, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return true;
        }
        catch (Exception exception) when (
            exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <summary>The emulator's endpoints, or null where the connection is to another account.</summary>
    internal static (Uri Blob, Uri Queue)? EndpointsOf(string? connection)
    {
        if (string.IsNullOrEmpty(connection)) return null;
        DbConnectionStringBuilder parts;
        try
        {
            parts = new DbConnectionStringBuilder { ConnectionString = connection };
        }
        catch (ArgumentException)
        {
            // What is wrong with it is PipelineStorage's to say.
            return null;
        }
        if (parts.TryGetValue("UseDevelopmentStorage", out object? development)
            && string.Equals($"{development}", "true", StringComparison.OrdinalIgnoreCase))
            return (new Uri("http://127.0.0.1:10000"), new Uri("http://127.0.0.1:10001"));
        return parts.TryGetValue("BlobEndpoint", out object? blob) && Uri.TryCreate($"{blob}", UriKind.Absolute, out Uri? blobs)
            && blobs.IsLoopback
            && parts.TryGetValue("QueueEndpoint", out object? queue) && Uri.TryCreate($"{queue}", UriKind.Absolute, out Uri? queues)
                && queues.IsLoopback
            ? (blobs, queues) : null;
    }
}
