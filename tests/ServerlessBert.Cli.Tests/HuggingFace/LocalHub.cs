using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace ServerlessBert.Cli.Tests.HuggingFace;

/// <summary>
/// A server that answers as huggingface.co does: a model's description, small files by a redirect within the hub, large
/// ones by a redirect to another server, with ranges, ETags and the hub's own headers.
/// </summary>
internal sealed class LocalHub : IAsyncDisposable
{
    public const string Name = "team/small-bert";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly WebApplication application;
    private readonly Uri[] addresses;

    private LocalHub()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        application = builder.Build();
        application.Run(AnswerAsync);
        application.Start();
        addresses = [.. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(
            address => new Uri(address))];
    }

    /// <summary>What the model's folder on the hub holds.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = [];

    /// <summary>Every request, in order.</summary>
    public ConcurrentQueue<Received> Requests { get; } = [];

    /// <summary>May answer in place of the hub; true if it did.</summary>
    public Func<HttpContext, bool, Task<bool>> Interfere { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>The hash that the hub says a large file has.</summary>
    public Func<byte[], string> LinkedETag { get; set; } = bytes => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The mark that the large files' server gives, which has nothing to do with the hub's.</summary>
    public Func<byte[], string> StorageETag { get; set; } = bytes => $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}-8\"";

    /// <summary>The length that the hub says a large file has.</summary>
    public Func<byte[], long> LinkedSize { get; set; } = bytes => bytes.LongLength;

    public string Endpoint => addresses[0].AbsoluteUri.TrimEnd('/');

    /// <summary>Requests for large files' bytes.</summary>
    public IReadOnlyList<Received> Transfers => [.. Requests.Where(request => request.ToStorage)];

    public static LocalHub Serving(string folder)
    {
        var hub = new LocalHub();
        foreach (string path in Directory.EnumerateFiles(folder)) hub.Files[Path.GetFileName(path)] = File.ReadAllBytes(path);
        return hub;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        bool toStorage = context.Connection.LocalPort == addresses[1].Port;
        IHeaderDictionary headers = context.Request.Headers;
        Requests.Enqueue(
            new Received(toStorage, context.Request.Method, context.Request.Path, headers.Authorization, headers.Range, headers.IfRange));
        if (await Interfere(context, toStorage)) return;
        string[] parts = context.Request.Path.Value!.Trim('/').Split('/');
        IResult answer = (toStorage, parts) switch
        {
            (true, [var file]) => Bytes(Files[file], StorageETag(Files[file])),
            (false, ["api", "models", var owner, var name, "revision", "main" or Commit]) when $"{owner}/{name}" == Name =>
                Results.Json(new { id = Name, sha = Commit, siblings = Files.Keys.Select(file => new { rfilename = file }) }),
            (false, ["api", "models", var owner, var name, ..]) =>
                NotFound(context, $"{owner}/{name}" == Name ? "RevisionNotFound" : "RepoNotFound"),
            (false, ["api", "resolve-cache", var file]) => Bytes(Files[file], $"\"{GitBlob(Files[file])}\""),
            (false, [_, _, "resolve", Commit, var file]) when Files.TryGetValue(file, out byte[]? bytes) => Redirect(context, file, bytes),
            _ => NotFound(context, "EntryNotFound"),
        };
        await answer.ExecuteAsync(context);
    }

    private IResult Redirect(HttpContext context, string file, byte[] bytes)
    {
        context.Response.Headers["X-Repo-Commit"] = Commit;
        if (!file.EndsWith(".safetensors", StringComparison.Ordinal))
            return Results.Redirect($"/api/resolve-cache/{file}", preserveMethod: true);
        context.Response.Headers["X-Linked-Etag"] = $"\"{LinkedETag(bytes)}\"";
        context.Response.Headers["X-Linked-Size"] = LinkedSize(bytes).ToString();
        return Results.Redirect(new Uri(addresses[1], file).AbsoluteUri);
    }

    private static IResult NotFound(HttpContext context, string code)
    {
        context.Response.Headers["X-Error-Code"] = code;
        return Results.NotFound();
    }

    // ASP.NET Core's own Range and If-Range.
    private static IResult Bytes(byte[] bytes, string etag) =>
        Results.Bytes(bytes, enableRangeProcessing: true, entityTag: EntityTagHeaderValue.Parse(etag));

    private static string GitBlob(byte[] bytes) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
}

/// <summary>A request that arrived.</summary>
internal sealed record Received(bool ToStorage, string Method, string Path, string? Authorization, string? Range, string? IfRange);
