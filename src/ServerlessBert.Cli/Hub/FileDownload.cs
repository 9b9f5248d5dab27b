using System.Net;

namespace ServerlessBert.Cli.Hub;

/// <summary>Fetches one file: goes on where an earlier attempt stopped, checks what came, and only then gives it its name.</summary>
/// <param name="hub">The hub.</param>
/// <param name="revision">The commit that the file is of.</param>
/// <param name="file">What the hub says of it.</param>
/// <param name="target">The path that it will have.</param>
/// <param name="follow">Told of the bytes that are here, again and again.</param>
internal sealed class FileDownload(HubClient hub, HubRevision revision, HubFile file, string target, Action<long> follow)
{
    private const int BufferSize = 1 << 17;

    private readonly PartialFile partial = new(target);

    /// <summary>Fetches the file, over as many connections as it takes.</summary>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="HubException">It cannot be fetched; what came is kept for the next time, unless it was wrong.</exception>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        long length = await hub.Retry.RunAsync(AttemptAsync, cancellationToken);
        if (file.Sha256 is { } expected)
        {
            string actual = await FileDigest.Sha256Async(partial.BytesPath, cancellationToken);
            if (!FileDigest.AreEqual(actual, expected))
            {
                partial.Delete();
                throw new HubException($"{file.Name} arrived damaged and was deleted: its SHA-256 is {actual}, the hub says {expected}; run the same command again.");
            }
        }
        partial.Complete();
        return length;
    }

    private async Task<long> AttemptAsync(CancellationToken cancellationToken)
    {
        RangeRequest? rest = partial.Rest(file);
        if (rest is not null && rest.From == file.Size) return rest.From; // whole, but not yet named
        using HttpResponseMessage response = await OpenAsync(rest, cancellationToken);
        using HubBody body = await HubBody.OpenAsync(response, hub.Options.Silence, cancellationToken);
        await using FileStream stream = response.StatusCode == HttpStatusCode.PartialContent ? partial.Continue() : partial.StartOver(file, response.Headers.ETag);
        await CopyAsync(body, stream, cancellationToken);
        stream.Flush(flushToDisk: true);
        return stream.Position;
    }

    private async Task<HttpResponseMessage> OpenAsync(RangeRequest? rest, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = await hub.OpenAsync(revision, file.Name, rest, cancellationToken);
            if (response.StatusCode != HttpStatusCode.PartialContent || IsRest(response, rest)) return response;
            using (response) throw new HubException($"{response.RequestMessage!.RequestUri!.Authority} sent another part of {file.Name} than was asked for") { IsPassing = true, Status = HttpStatusCode.RequestedRangeNotSatisfiable };
        }
        catch (HubException fault) when (fault.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            partial.Delete(); // the next attempt starts over
            throw;
        }
    }

    private bool IsRest(HttpResponseMessage response, RangeRequest? rest) =>
        response.Content.Headers.ContentRange is { } range && range.From == rest?.From && (range.Length is null || file.Size is null || range.Length == file.Size);

    private async Task CopyAsync(HubBody body, FileStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferSize];
        follow(stream.Position);
        while (await body.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (stream.Position + read > file.Size)
            {
                stream.SetLength(0); // none of it can be trusted
                throw new HubException($"{file.Name} is longer than the {file.Size:N0} bytes that the hub says; run the same command again.");
            }
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            follow(stream.Position);
        }
        if (stream.Position < file.Size)
            throw new HubException($"{file.Name} ended after {stream.Position:N0} of {file.Size:N0} bytes") { IsPassing = true };
    }
}
