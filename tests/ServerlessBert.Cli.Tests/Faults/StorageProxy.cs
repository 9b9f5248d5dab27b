using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>What can happen to a request on its way to storage, or to its answer.</summary>
internal enum NetworkFault
{
    /// <summary>The request does not arrive.</summary>
    DropRequest,

    /// <summary>The request is carried out, and its answer does not arrive.</summary>
    DropAnswer,

    /// <summary>Half the answer arrives.</summary>
    Truncate,

    /// <summary>The request arrives late.</summary>
    Delay,

    /// <summary>The request arrives twice; the second answer is given.</summary>
    Double,

    /// <summary>500, and nothing is carried out.</summary>
    Error500,

    /// <summary>503, as storage says that it is busy.</summary>
    Busy503,

    /// <summary>429, as an account says that it is throttled.</summary>
    Throttled429,

    /// <summary>200 with a page of HTML, as a gateway gives that wants a sign-in.</summary>
    Page200,
}

/// <summary>Stands between hosts and Azurite, and does to the next requests what it is told.</summary>
internal sealed class StorageProxy : IAsyncDisposable
{
    private static readonly string[] HopByHop = ["Host", "Connection", "Transfer-Encoding", "Keep-Alive"];

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly Dictionary<int, int> _targets = [];
    private readonly Lock _lock = new();
    private readonly WebApplication _application;
    private NetworkFault _fault;
    private int _left;

    private StorageProxy(string connection)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _application = builder.Build();
        _application.Run(AnswerAsync);
        _application.Start();
        int[] ports = [.. _application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address).Port)];

        ConnectionString = connection;
        foreach (var (service, port) in new[] { "BlobEndpoint", "QueueEndpoint" }.Zip(ports))
        {
            var endpoint = new Uri(connection.Split(';').Single(part =>
                part.StartsWith(service + "=", StringComparison.Ordinal))[(service.Length + 1)..]);
            _targets[port] = endpoint.Port;
            ConnectionString = ConnectionString.Replace($":{endpoint.Port}/", $":{port}/", StringComparison.Ordinal);
        }
    }

    /// <summary>The same account through the proxy.</summary>
    public string ConnectionString { get; }

    /// <summary>Requests that a fault is still to meet.</summary>
    public int Left
    {
        get
        {
            lock (_lock) return _left;
        }
    }

    /// <summary>Listens before an Azurite.</summary>
    public static StorageProxy Start(string connection) => new(connection);

    /// <summary>Does a fault to the next requests.</summary>
    public void Do(NetworkFault fault, int requests)
    {
        lock (_lock) (_fault, _left) = (fault, requests);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        NetworkFault? fault;
        lock (_lock) fault = _left > 0 && _left-- > 0 ? _fault : null;
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        switch (fault)
        {
            case NetworkFault.DropRequest:
                context.Abort();
                return;
            case NetworkFault.Error500:
                await WriteAsync(context, 500, "InternalError");
                return;
            case NetworkFault.Busy503:
                await WriteAsync(context, 503, "ServerBusy");
                return;
            case NetworkFault.Throttled429:
                await WriteAsync(context, 429, "TooManyRequests");
                return;
            case NetworkFault.Page200:
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync("<html><body>Please sign in to this network.</body></html>");
                return;
            case NetworkFault.Delay:
                await Task.Delay(Random.Shared.Next(200, 3000));
                break;
            case NetworkFault.Double:
                using (await SendAsync(context, body)) { }
                break;
            default:
                break;
        }
        using HttpResponseMessage answer = await SendAsync(context, body);
        await PassOnAsync(context, answer, fault);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContext context, MemoryStream body)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method),
            $"http://127.0.0.1:{_targets[context.Connection.LocalPort]}{target}");
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            request.Content = new ByteArrayContent(body.ToArray());
        foreach (var (name, values) in context.Request.Headers)
        {
            if (HopByHop.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
        return await _client.SendAsync(request);
    }

    private static async Task PassOnAsync(HttpContext context, HttpResponseMessage answer, NetworkFault? fault)
    {
        byte[] content = await answer.Content.ReadAsByteArrayAsync();
        if (fault == NetworkFault.DropAnswer || (fault == NetworkFault.Truncate && content.Length < 2))
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            if (!HopByHop.Contains(name, StringComparer.OrdinalIgnoreCase)) context.Response.Headers[name] = values.ToArray();
        if (HttpMethods.IsHead(context.Request.Method) || (int)answer.StatusCode is 204 or 304) return;
        context.Response.ContentLength = content.Length;
        if (fault != NetworkFault.Truncate)
        {
            await context.Response.Body.WriteAsync(content);
            return;
        }
        await context.Response.Body.WriteAsync(content.AsMemory(0, content.Length / 2));
        await context.Response.Body.FlushAsync();
        context.Abort();
    }

    private static async Task WriteAsync(HttpContext context, int status, string code)
    {
        byte[] error = Encoding.UTF8.GetBytes(
            $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>Try again.</Message></Error>");
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        context.Response.Headers["x-ms-error-code"] = code;
        context.Response.Headers["x-ms-request-id"] = Guid.NewGuid().ToString();
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(error);
    }
}
