using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>A JSON document in a blob.</summary>
/// <remarks>
/// <para>
/// Concurrency. A document is only written under the condition that it is still what the writer read (If-Match), or
/// still absent (If-None-Match *). Storage decides that in one place, so of several writers that read the same, one
/// succeeds, and each of the others reads again and decides from what now stands: no write is lost, and every document
/// that ever stood was decided from the one before it.
/// </para>
/// <para>
/// A write whose answer is lost is sent again by the client and then fails its own condition. So each write has a number
/// of its own in the blob's metadata, and after a failed condition the blob is read: where that number stands, the write is done.
/// </para>
/// </remarks>
/// <param name="blob">Where it is.</param>
/// <param name="metadata">What a listing tells of it; null for nothing.</param>
public sealed class JsonBlob<T>(BlobClient blob, Func<T, IDictionary<string, string>>? metadata = null)
    where T : class
{
    private const string WriteMetadata = "write";

    /// <summary>Container and name, for messages.</summary>
    public string Name => $"{blob.BlobContainerName}/{blob.Name}";

    /// <summary>Reads it. What is damaged is an answer, not an exception.</summary>
    /// <param name="knownETag">With the ETag of an earlier reading, nothing is sent where it is still that one.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<JsonReading<T>> ReadAsync(string? knownETag = null, CancellationToken cancellationToken = default)
    {
        var conditions = knownETag is null ? null : new BlobRequestConditions { IfNoneMatch = ETags.ToCondition(knownETag) };
        try
        {
            var answer = await blob.DownloadContentAsync(new BlobDownloadOptions { Conditions = conditions }, cancellationToken);
            return answer.GetRawResponse().Status == 304 ? Unchanged()
                : Read(answer.Value.Content, ETags.Unquote(answer.Value.Details.ETag));
        }
        catch (RequestFailedException exception) when (exception.Status == 304)
        {
            return Unchanged();
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return new JsonReading<T>();
        }

        JsonReading<T> Unchanged() => new() { ETag = knownETag, IsUnchanged = true };
    }

    /// <summary>Writes it where there is none.</summary>
    /// <returns>Its ETag; null where there was one already.</returns>
    /// <exception cref="UnwritableBlobException">Something holds the blob.</exception>
    public Task<string?> CreateAsync(T document, CancellationToken cancellationToken = default) =>
        WriteAsync(document, null, cancellationToken);

    /// <summary>Writes it where it is still what was read.</summary>
    /// <param name="document">The document.</param>
    /// <param name="etag">The ETag that was read; null where there was none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Its new ETag; null where somebody wrote in between.</returns>
    /// <exception cref="UnwritableBlobException">Something holds the blob.</exception>
    public async Task<string?> WriteAsync(T document, string? etag, CancellationToken cancellationToken = default)
    {
        string write = Guid.NewGuid().ToString("N");
        var bytes = new BinaryData(PipelineJson.ToBytes(document));
        try
        {
            BlobContentInfo written = await blob.UploadAsync(
                bytes,
                new BlobUploadOptions
                {
                    Conditions = Blobs.Unchanged(etag),
                    HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
                    Metadata = MetadataOf(document, write),
                },
                cancellationToken);
            return ETags.Unquote(written.ETag);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
        {
            var there = await blob.TryGetPropertiesAsync(cancellationToken);
            return there is not null && there.Metadata.TryGetValue(WriteMetadata, out string? last) && last == write
                ? ETags.Unquote(there.ETag) : null;
        }
        catch (RequestFailedException exception) when (exception.IsUnwritable())
        {
            throw StorageErrors.Unwritable(blob, exception);
        }
    }

    /// <summary>Changes it, deciding anew as often as somebody writes in between.</summary>
    /// <param name="decide">The new document from what stands there, or null to leave that. A function of the reading alone.</param>
    /// <param name="cancellationToken">Ends the attempts.</param>
    /// <returns>What was written, with its ETag; or what stands there, where it was left.</returns>
    /// <exception cref="UnwritableBlobException">Something holds the blob.</exception>
    /// <exception cref="IOException">Others were always ahead.</exception>
    public async Task<JsonChange<T>> ChangeAsync(Func<JsonReading<T>, T?> decide, CancellationToken cancellationToken = default)
    {
        return await ContendedWrite.RetryAsync(Name, async () =>
        {
            var reading = await ReadAsync(null, cancellationToken);
            if (decide(reading) is not { } changed) return new JsonChange<T>(reading.Value, reading.ETag, IsWritten: false);
            return await WriteAsync(changed, reading.ETag, cancellationToken) is { } etag
                ? new JsonChange<T>(changed, etag, IsWritten: true) : null;
        }, cancellationToken);
    }

    private Dictionary<string, string> MetadataOf(T document, string write) =>
        new(metadata?.Invoke(document) ?? new Dictionary<string, string>()) { [WriteMetadata] = write };

    private JsonReading<T> Read(BinaryData content, string etag)
    {
        try
        {
            return JsonSerializer.Deserialize(content.ToMemory().Span, PipelineJson.Of<T>()) is { } value
                ? new() { Value = value, ETag = etag, Content = content }
                : new() { ETag = etag, Content = content, Damage = $"{Name} is damaged: it holds null." };
        }
        catch (JsonException exception)
        {
            return new() { ETag = etag, Content = content, Damage = $"{Name} is damaged: {exception.Message}" };
        }
    }
}

/// <summary>What a look at a document found.</summary>
public sealed record JsonReading<T>
    where T : class
{
    /// <summary>The document; null where there is none, it is damaged, or it is unchanged.</summary>
    public T? Value { get; init; }

    /// <summary>The ETag of what is there, damaged or not; null where nothing is.</summary>
    public string? ETag { get; init; }

    /// <summary>The bytes that are there.</summary>
    public BinaryData? Content { get; init; }

    /// <summary>Why it cannot be read, in a sentence; null where it can.</summary>
    public string? Damage { get; init; }

    /// <summary>Whether it is as it was when the known ETag was read.</summary>
    public bool IsUnchanged { get; init; }

    /// <summary>The document, or null where there is none.</summary>
    /// <exception cref="DamagedDocumentException">It is damaged.</exception>
    public T? Intact => Damage is null ? Value : throw new DamagedDocumentException(Damage);
}

/// <summary>What became of a change.</summary>
/// <param name="Value">The document that stands now; null where there is none, or it is damaged.</param>
/// <param name="ETag">Its ETag.</param>
/// <param name="IsWritten">Whether it was written; false where it was left.</param>
public sealed record JsonChange<T>(T? Value, string? ETag, bool IsWritten)
    where T : class;

/// <summary>A document in storage is not what this program writes there.</summary>
/// <param name="message">One sentence: which document, and what is wrong with it.</param>
public sealed class DamagedDocumentException(string message) : ServerlessBertException(message);
