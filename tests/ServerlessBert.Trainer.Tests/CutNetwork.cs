using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace ServerlessBert.Trainer.Tests;

/// <summary>How a network is cut.</summary>
public enum CutKind
{
    /// <summary>Nobody listens any more.</summary>
    Refused,

    /// <summary>Connections are taken and closed without an answer.</summary>
    Silent,

    /// <summary>Something on the way answers 200 with a page of its own.</summary>
    Page,

    /// <summary>An answer ends in the middle of its body.</summary>
    HalfABody,
}

/// <summary>A way to Azurite that a test may cut: two ports that pass every byte on until then.</summary>
internal sealed partial class CutNetwork : IAsyncDisposable
{
    private readonly CancellationTokenSource end = new();
    private readonly List<TcpListener> listeners = [];
    private readonly List<Task> serving = [];
    private readonly List<TcpClient> open = [];
    private CutKind? cut;

    /// <summary>Begins to pass on.</summary>
    /// <param name="connection">Azurite's connection string.</param>
    public CutNetwork(string connection) =>
        ConnectionString = Endpoint().Replace(connection, match => $"127.0.0.1:{Listen(int.Parse(match.Groups["port"].Value))}");

    /// <summary>The same account through this network.</summary>
    public string ConnectionString { get; }

    /// <summary>Cuts it, also for connections that are open.</summary>
    public void Cut(CutKind kind)
    {
        cut = kind;
        if (kind == CutKind.Refused)
        {
            foreach (TcpListener listener in listeners) listener.Stop();
        }
        lock (open)
        {
            foreach (TcpClient client in open) client.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        foreach (TcpListener listener in listeners) listener.Stop();
        await Task.WhenAll(serving);
        end.Dispose();
    }

    private int Listen(int target)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        listeners.Add(listener);
        serving.Add(Task.Run(() => ServeAsync(listener, target)));
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync(TcpListener listener, int target)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                TcpClient client = await listener.AcceptTcpClientAsync(end.Token);
                lock (open) open.Add(client);
                _ = Task.Run(() => PassAsync(client, target));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return; // cut, or the test has ended
            }
        }
    }

    private async Task PassAsync(TcpClient client, int target)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                if (cut is { } kind)
                {
                    if (kind == CutKind.Silent) return;
                    if (await stream.ReadAsync(new byte[16 * 1024], end.Token) == 0) return;
                    string body = kind == CutKind.Page ? "<html>Please sign in.</html>" : "<?xml version=\"1.0\"?><Queue";
                    int length = kind == CutKind.Page ? body.Length : body.Length * 10;
                    string kindOfText = kind == CutKind.Page ? "text/html" : "application/xml\r\nx-ms-request-id: 7";
                    await stream.WriteAsync(
                        Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 200 OK\r\nContent-Type: {kindOfText}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"),
                        end.Token);
                    return;
                }
                using var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, target, end.Token);
                await Task.WhenAny(stream.CopyToAsync(server.GetStream(), end.Token), server.GetStream().CopyToAsync(stream, end.Token));
            }
            catch (Exception exception) when (
                exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // One side has ended.
            }
        }
    }

    [GeneratedRegex(@"127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Endpoint();
}
