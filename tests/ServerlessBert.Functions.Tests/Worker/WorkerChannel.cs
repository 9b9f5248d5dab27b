using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.Functions.Tests.Worker;

/// <summary>The Functions host's end of a worker's gRPC stream: a call over HTTP/2 whose messages have a length before them.</summary>
internal sealed class WorkerChannel : IAsyncDisposable
{
    private const int FrameHead = 5; // not compressed: 0; length: 4 bytes, most significant first
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<JsonObject> sent = Channel.CreateUnbounded<JsonObject>();
    private readonly Channel<JsonElement> received = Channel.CreateUnbounded<JsonElement>();
    private readonly List<string> log = [];
    private readonly WebApplication application;

    private WorkerChannel(WebApplication application) => this.application = application;

    /// <summary>Where the worker is to call.</summary>
    public Uri Address =>
        new(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What the worker logged.</summary>
    public IReadOnlyList<string> Log => log;

    public static async Task<WorkerChannel> OpenAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null; // the worker's stream is silent for as long as it likes
            kestrel.Listen(IPAddress.Loopback, 0, listening => listening.Protocols = HttpProtocols.Http2);
        });
        var channel = new WorkerChannel(builder.Build());
        channel.application.MapPost(WorkerMessages.Path, channel.ServeAsync);
        await channel.application.StartAsync();
        return channel;
    }

    public void Send(JsonObject message) => sent.Writer.TryWrite(message);

    /// <summary>The content of the next message of a kind, such as <c>invocationResponse</c>; log messages are kept aside.</summary>
    public async Task<JsonElement> ReceiveAsync(string kind)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                JsonElement message = await received.Reader.ReadAsync(patience.Token);
                if (message.TryGetProperty(kind, out JsonElement content)) return content;
                if (message.TryGetProperty("rpcLog", out JsonElement line)) log.Add(line.ToString());
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
        {
            throw new InvalidOperationException($"The worker sent no {kind}; it logged:\n{string.Join('\n', log)}", exception);
        }
    }

    public ValueTask DisposeAsync()
    {
        sent.Writer.TryComplete();
        return application.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext call)
    {
        call.Response.ContentType = "application/grpc";
        await call.Response.StartAsync(call.RequestAborted);
        Task writing = WriteAsync(call.Response.BodyWriter, call.RequestAborted);
        try
        {
            await ReadAsync(call.Request.BodyReader, call.RequestAborted);
        }
        finally
        {
            received.Writer.TryComplete();
            sent.Writer.TryComplete();
            await writing;
        }
    }

    private async Task WriteAsync(PipeWriter writer, CancellationToken cancellationToken)
    {
        await foreach (JsonObject message in sent.Reader.ReadAllAsync(CancellationToken.None))
        {
            byte[] bytes = WorkerMessages.ToBytes(message);
            var head = new byte[FrameHead];
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), bytes.Length);
            await writer.WriteAsync(head, cancellationToken);
            await writer.WriteAsync(bytes, cancellationToken);
        }
    }

    private async Task ReadAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result;
            try
            {
                result = await reader.ReadAsync(cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                return; // the worker has ended
            }
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (TryTake(ref buffer, out byte[] message)) received.Writer.TryWrite(WorkerMessages.FromBytes(message));
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) return;
        }
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, out byte[] message)
    {
        message = [];
        if (buffer.Length < FrameHead) return false;
        int length = BinaryPrimitives.ReadInt32BigEndian(buffer.Slice(1, FrameHead - 1).ToArray());
        if (buffer.Length < FrameHead + length) return false;
        message = buffer.Slice(FrameHead, length).ToArray();
        buffer = buffer.Slice(FrameHead + length);
        return true;
    }
}
