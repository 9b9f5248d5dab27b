using System.Net;
using System.Net.Sockets;
using ServerlessBert.LocalHost;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Cli.Input;

/// <summary>The configured storage account, for verbs that work on it.</summary>
internal static class Storage
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Connects and makes what containers and queues are missing, so that every verb works on a new account.</summary>
    /// <exception cref="StorageException">Nothing listens there, its name does not resolve, or the setting cannot be read.</exception>
    public static async Task<PipelineStorage> OpenAsync(CancellationToken cancellationToken)
    {
        PipelineStorage storage = Configured();
        // The clients would try a closed port for half a minute.
        foreach (Uri endpoint in new[] { storage.Container(StorageNames.Models).Uri, storage.Queue(StorageNames.ReviewFiles).Uri })
            await RequireAnswerAsync(endpoint, cancellationToken);
        await storage.CreateAsync(cancellationToken);
        return storage;
    }

    private static PipelineStorage Configured()
    {
        try
        {
            return PipelineStorage.FromConfiguration(HostSettings.Load());
        }
        catch (Exception exception) when (exception is InvalidOperationException or UriFormatException)
        {
            throw new StorageException(exception is UriFormatException
                ? $"{PipelineStorage.ConnectionSection}'s service address is not a URI ({exception.Message.TrimEnd('.')}); correct it."
                : exception.Message);
        }
    }

    private static async Task RequireAnswerAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        // A proxy resolves and connects in our place.
        if (!endpoint.IsLoopback && HttpClient.DefaultProxy.GetProxy(endpoint) is { } proxy && proxy != endpoint) return;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ConnectTimeout);
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(endpoint.DnsSafeHost, timeout.Token);
            if (!endpoint.IsLoopback) return;
            using var client = new TcpClient();
            await client.ConnectAsync(addresses, endpoint.Port, timeout.Token);
        }
        catch (SocketException exception) when (
            exception.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
        {
            throw new StorageException(
                $"The storage account's name {endpoint.Host} does not resolve; check {PipelineStorage.ConnectionSection} and this "
                    + $"machine's network.");
        }
        catch (SocketException exception)
        {
            throw new StorageException(
                $"Storage does not answer at {endpoint.Authority} ({exception.Message}); start it with `sbert host`, or set "
                    + $"{PipelineStorage.ConnectionSection} to the account to use.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // A slow name server is for the clients to wait for, which try again.
        }
    }
}

/// <summary>The storage account cannot be reached, or is not configured.</summary>
/// <param name="message">One sentence: what, where, what to do.</param>
internal sealed class StorageException(string message) : ServerlessBertException(message);
