using System.Text.Json;

namespace ServerlessBert.Cli.Hub;

/// <summary>What the hub is asked: which commit a revision is, what its files are, and their bytes.</summary>
/// <param name="options">Which hub, as whom, how patiently.</param>
/// <param name="say">Where it is told that a request is repeated.</param>
internal sealed class HubClient(HubOptions options, Action<string> say) : IDisposable
{
    // config.json and an index of shards are some kilobytes, the description of the largest repository some megabytes.
    private const int LargestDocument = 32 << 20;

    private readonly HubConnection connection = new(options);

    public HubOptions Options => options;

    /// <summary>How this hub's failures are repeated.</summary>
    public HubRetry Retry { get; } = new(options, say);

    /// <summary>Resolves a revision to its commit and lists the commit's files.</summary>
    /// <exception cref="HubException">There is no such model or revision, or it is not for this user, or the hub does not answer.</exception>
    public Task<HubRevision> ResolveAsync(ModelName model, string revision, CancellationToken cancellationToken) => Retry.RunAsync(async token =>
    {
        var address = new Uri($"{options.Endpoint}/api/models/{model}/revision/{Uri.EscapeDataString(revision)}");
        using HttpResponseMessage response = await connection.SendAsync(HttpMethod.Get, address, leaveHub: true, range: null, token);
        if (!response.IsSuccessStatusCode) throw HubFaults.Of(options, model, revision, model.ToString(), response);
        byte[] document = await ReadDocumentAsync(response, model.ToString(), token);
        return Described(model, revision, document);
    }, cancellationToken);

    /// <summary>What the hub says of a file, without its bytes.</summary>
    /// <exception cref="HubException">There is no such file, or the hub does not answer.</exception>
    public Task<HubFile> DescribeAsync(HubRevision revision, string file, CancellationToken cancellationToken) => Retry.RunAsync(async token =>
    {
        // A redirect away from the hub, to where large files are, carries the facts itself.
        using HttpResponseMessage response = await connection.SendAsync(HttpMethod.Head, Address(revision, file), leaveHub: false, range: null, token);
        if ((int)response.StatusCode >= 400) throw HubFaults.Of(options, revision.Model, revision.Revision, file, response);
        if (Header(response, "X-Repo-Commit") is { } commit && !commit.Equals(revision.Commit, StringComparison.OrdinalIgnoreCase))
            throw new HubException($"{options.Endpoint} gives {file} of commit {commit} where {revision.Commit} was asked for; files of two commits do not belong together.");
        long? size = long.TryParse(Header(response, "X-Linked-Size"), out long linked) ? linked : response.IsSuccessStatusCode ? response.Content.Headers.ContentLength : null;
        return new HubFile(file, size, Unquoted(Header(response, "X-Linked-Etag") ?? Header(response, "ETag")));
    }, cancellationToken);

    /// <summary>Reads a small file whole.</summary>
    /// <exception cref="HubException">There is no such file, it is not small, or the hub does not answer.</exception>
    public Task<byte[]> ReadAsync(HubRevision revision, string file, CancellationToken cancellationToken) => Retry.RunAsync(async token =>
    {
        using HttpResponseMessage response = await OpenAsync(revision, file, range: null, token);
        return await ReadDocumentAsync(response, file, token);
    }, cancellationToken);

    /// <summary>Asks for a file's bytes, once: all, or from a byte on.</summary>
    /// <exception cref="HubException">Anything but success.</exception>
    public async Task<HttpResponseMessage> OpenAsync(HubRevision revision, string file, RangeRequest? range, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await connection.SendAsync(HttpMethod.Get, Address(revision, file), leaveHub: true, range, cancellationToken);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw HubFaults.Of(options, revision.Model, revision.Revision, file, response);
    }

    public void Dispose() => connection.Dispose();

    private Uri Address(HubRevision revision, string file) =>
        new($"{options.Endpoint}/{revision.Model}/resolve/{Uri.EscapeDataString(revision.Commit)}/{Uri.EscapeDataString(file)}");

    private HubRevision Described(ModelName model, string revision, byte[] document)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(document);
            string commit = json.RootElement.GetProperty("sha").GetString() is { Length: > 0 } sha ? sha : throw new JsonException("sha is empty.");
            return new HubRevision(model, revision, commit, json.RootElement.GetProperty("siblings").EnumerateArray()
                .Select(file => file.GetProperty("rfilename").GetString()!).ToHashSet(StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HubException($"{options.Endpoint} answered something else than what a hub says of a model ({exception.Message}); is HF_ENDPOINT right?", exception);
        }
    }

    private async Task<byte[]> ReadDocumentAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        using HubBody body = await HubBody.OpenAsync(response, options.Silence, cancellationToken);
        using var document = new MemoryStream();
        byte[] buffer = new byte[1 << 14];
        while (await body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            document.Write(buffer, 0, read);
            if (document.Length > LargestDocument) throw new HubException($"{options.Endpoint} answers more than {LargestDocument >> 20} MB for {what}; is HF_ENDPOINT a hub?");
        }
        return document.ToArray();
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static string? Unquoted(string? etag) =>
        etag is null ? null : (etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag).Trim('"');
}
