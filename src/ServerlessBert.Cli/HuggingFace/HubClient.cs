using System.Net;
using System.Text.Json;

namespace ServerlessBert.Cli.HuggingFace;

/// <summary>What the hub is asked: which commit a revision is, what its files are, and their bytes.</summary>
/// <param name="options">Which hub, as whom, how patiently.</param>
/// <param name="log">Takes a line for each request that is repeated.</param>
internal sealed class HubClient(HubOptions options, Action<string> log) : IDisposable
{
    // config.json and an index of shards are some kilobytes, the description of the largest repository some megabytes.
    private const int LargestDocument = 32 << 20;

    private readonly HubConnection connection = new(options);

    public HubOptions Options => options;

    /// <summary>How this hub's failures are repeated.</summary>
    public HubRetry Retry { get; } = new(options, log);

    /// <summary>Resolves a revision to its commit and lists the commit's files.</summary>
    /// <exception cref="HubException">There is no such model or revision, or it is not for this user, or the hub does not
    /// answer.</exception>
    public Task<HubRevision> ResolveAsync(ModelName model, string revision, CancellationToken cancellationToken) =>
        Retry.RunAsync(async token =>
    {
        var address = new Uri($"{options.Endpoint}/api/models/{model}/revision/{Uri.EscapeDataString(revision)}");
        using HttpResponseMessage response = await connection.SendAsync(HttpMethod.Get, address, leaveHub: true, range: null, token);
        if (!response.IsSuccessStatusCode) throw HubFaults.Of(options, model, revision, model.ToString(), response);
        byte[] document = await ReadDocumentAsync(response, model.ToString(), token);
        return Described(model, revision, document);
    }, cancellationToken);

    /// <summary>What the hub says of a file, without its bytes.</summary>
    /// <exception cref="HubException">There is no such file, or the hub does not answer.</exception>
    public Task<HubFile> DescribeAsync(HubRevision revision, string file, CancellationToken cancellationToken) =>
        Retry.RunAsync(async token =>
    {
        // A redirect away from the hub, to where large files are, carries the facts itself.
        using HttpResponseMessage response =
            await connection.SendAsync(HttpMethod.Head, Address(revision, file), leaveHub: false, range: null, token);
        if ((int)response.StatusCode >= 400) throw HubFaults.Of(options, revision.Model, revision.Revision, file, response);
        if (Header(response, "X-Repo-Commit") is { } commit && !commit.Equals(revision.Commit, StringComparison.OrdinalIgnoreCase))
            throw new HubException(
                $"{options.Endpoint} gives {file} of commit {commit} where {revision.Commit} was asked for; files of two commits do "
                    + $"not belong together.");
        long? size = long.TryParse(Header(response, "X-Linked-Size"), out long linked) ? linked : response.IsSuccessStatusCode
            ? response.Content.Headers.ContentLength : null;
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
    public async Task<HttpResponseMessage> OpenAsync(
        HubRevision revision, string file, RangeRequest? range, CancellationToken cancellationToken)
    {
        HttpResponseMessage response =
            await connection.SendAsync(HttpMethod.Get, Address(revision, file), leaveHub: true, range, cancellationToken);
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
            string commit = json.RootElement.GetProperty("sha").GetString() is { Length: > 0 } sha ? sha
                : throw new JsonException("sha is empty.");
            return new HubRevision(model, revision, commit, json.RootElement.GetProperty("siblings").EnumerateArray()
                .Select(file => file.GetProperty("rfilename").GetString()!).ToHashSet(StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HubException(
                $"{options.Endpoint} answered something else than what a hub says of a model ({exception.Message}); is HF_ENDPOINT "
                    + $"right?", exception);
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
            if (document.Length > LargestDocument)
                throw new HubException(
                $"{options.Endpoint} answers more than {LargestDocument >> 20} MB for {what}; is HF_ENDPOINT a hub?");
        }
        return document.ToArray();
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static string? Unquoted(string? etag) =>
        etag is null ? null : (etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag).Trim('"');
}

/// <summary>A revision of a model, resolved to the commit that it names now, so that every file is of that one.</summary>
/// <param name="Model">The model.</param>
/// <param name="Revision">The branch, tag or commit that was asked for.</param>
/// <param name="Commit">The commit that it is.</param>
/// <param name="Files">The paths of its files.</param>
internal sealed record HubRevision(ModelName Model, string Revision, string Commit, IReadOnlySet<string> Files);

/// <summary>What the hub says of a file before it is fetched.</summary>
/// <param name="Name">A plain file name.</param>
/// <param name="Size">Bytes, where the hub says so.</param>
/// <param name="ETag">The hub's own mark of the content, without quotes: the SHA-256 of a file in large file storage, the git
/// blob id of any other.</param>
internal sealed record HubFile(string Name, long? Size, string? ETag)
{
    private const int Sha256Digits = 64, GitBlobDigits = 40;

    /// <summary>The content's SHA-256 in hexadecimal, where the ETag is one.</summary>
    public string? Sha256 => IsHexadecimal(Sha256Digits) ? ETag : null;

    /// <summary>The content's git blob id (a SHA-1), where the ETag looks like one; a mirror's may be something else.</summary>
    public string? GitBlob => IsHexadecimal(GitBlobDigits) ? ETag : null;

    private bool IsHexadecimal(int digits) => ETag?.Length == digits && ETag.All(char.IsAsciiHexDigit);
}

/// <summary>An answer's body, whose ends and silences become <see cref="HubException"/>s, apart from what goes wrong on the disk.</summary>
internal sealed class HubBody(Stream stream, string host, TimeSpan readTimeout) : IDisposable
{
    /// <summary>Opens an answer's body.</summary>
    public static async Task<HubBody> OpenAsync(HttpResponseMessage response, TimeSpan readTimeout, CancellationToken cancellationToken) =>
        new(await response.Content.ReadAsStreamAsync(cancellationToken), response.RequestMessage!.RequestUri!.Authority, readTimeout);

    /// <summary>The next bytes; 0 at the end.</summary>
    /// <exception cref="HubException">The connection was cut, or said nothing for too long; both pass.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        reading.CancelAfter(readTimeout);
        try
        {
            return await stream.ReadAsync(buffer, reading.Token);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new HubException($"{host} cut the connection ({exception.Message})", exception) { IsPassing = true };
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HubException($"{host} sent nothing for {readTimeout.TotalSeconds:N0} s", exception) { IsPassing = true };
        }
    }

    public void Dispose() => stream.Dispose();
}

/// <summary>What an answer other than success means, in a sentence.</summary>
internal static class HubFaults
{
    /// <param name="options">The hub that was asked.</param>
    /// <param name="model">The model that was asked for.</param>
    /// <param name="revision">Its revision.</param>
    /// <param name="what">What was asked for: a file's name, or the model itself.</param>
    /// <param name="response">The answer, of the hub or of the server that it redirected to.</param>
    public static HubException Of(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response)
    {
        HttpStatusCode status = response.StatusCode;
        Uri asked = response.RequestMessage!.RequestUri!;
        string message = options.IsHub(asked) ? Sentence(options, model, revision, what, response)
            : $"{asked.Authority}, where the hub keeps {what}, answered {(int)status}";
        return new HubException(message) { Status = status, IsPassing = IsPassing(status), RetryAfter = RetryAfter(response) };
    }

    private static string Sentence(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response) =>
        response.StatusCode switch
        {
            // The hub says 401 for a name that does not exist too, so as not to tell which private models there are.
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when options.Token is null =>
                $"{options.Endpoint} does not show {model} to everyone ({(int)response.StatusCode}): it is gated or private, or has "
                    + $"another name; set HF_TOKEN to the token of an account that may read it.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                $"{options.Endpoint} does not show {model} to the owner of HF_TOKEN ({(int)response.StatusCode}): it is gated or "
                    + $"private; ask for access at {options.Endpoint}/{model}, or set HF_TOKEN to the token of an account that may "
                    + $"read it.",
            HttpStatusCode.NotFound => NotFound(options, model, revision, what, response),
            HttpStatusCode.TooManyRequests =>
                $"{options.Endpoint} takes no more requests for now (429, "
                    + $"{what}){(options.Token is null ? "; with HF_TOKEN set it takes more" : "")}",
            >= HttpStatusCode.InternalServerError => $"{options.Endpoint} answered {(int)response.StatusCode} for {what}",
            _ => $"{options.Endpoint} answered {(int)response.StatusCode} for {what} of {model}; is HF_ENDPOINT a hub?",
        };

    private static string NotFound(HubOptions options, ModelName model, string revision, string what, HttpResponseMessage response) =>
        (response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.First() : "") switch
        {
            "RepoNotFound" => $"{options.Endpoint} has no model named {model}.",
            "RevisionNotFound" =>
                $"{model} has no revision '{revision}'; its branches and tags stand at {options.Endpoint}/{model}/tree/main.",
            "EntryNotFound" => $"{model} has no {what} in revision {revision}.",
            _ => $"{options.Endpoint} has no {model} with a revision "
                + $"'{revision}'{(what == model.ToString() ? "" : $" and a file {what}")}.",
        };

    private static bool IsPassing(HttpStatusCode status) =>
        status >= HttpStatusCode.InternalServerError
            || status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or HttpStatusCode.RequestedRangeNotSatisfiable;

    private static TimeSpan? RetryAfter(HttpResponseMessage response) =>
        (response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - DateTimeOffset.UtcNow) is { } wait
            && wait > TimeSpan.Zero ? wait : null;
}
