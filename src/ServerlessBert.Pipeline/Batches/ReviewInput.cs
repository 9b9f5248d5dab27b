using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>Reads a run's input: whole to split it, by range to classify it, always the very content that the run is of.</summary>
internal sealed class ReviewInput(PipelineStorage storage, ReviewOptions options)
{
    private const int ReadAhead = 4 * 1024 * 1024;

    /// <summary>What stands in the reviews container under a name now, or null.</summary>
    public Task<BlobProperties?> TryGetPropertiesAsync(BlobName blob, CancellationToken cancellationToken) =>
        Source(blob).TryGetPropertiesAsync(cancellationToken);

    /// <summary>Opens the input as it was dropped. A read throws RequestFailedException with 412 when it was dropped again.</summary>
    public Task<Stream> OpenAsync(Run run, CancellationToken cancellationToken) => Source(run.Blob).OpenReadAsync(
        new BlobOpenReadOptions(allowModifications: false) { BufferSize = ReadAhead, Conditions = SameContent(run.ETag) },
            cancellationToken);

    /// <summary>Opens the run's own copy of the content.</summary>
    public Task<Stream> OpenRewrittenAsync(Run run, CancellationToken cancellationToken) =>
        new RunBlobs(storage, run.Id)
            .Content.OpenReadAsync(new BlobOpenReadOptions(allowModifications: false) { BufferSize = ReadAhead }, cancellationToken);

    /// <summary>
    /// Writes the content as plain UTF-8 into the run's own blob. The copy is a function of the run: the first one
    /// stays.
    /// </summary>
    /// <exception cref="ReviewFileException">The content is damaged or over a limit.</exception>
    public async Task RewriteAsync(Run run, CancellationToken cancellationToken)
    {
        var copy = new RunBlobs(storage, run.Id).Content;
        if (await copy.ExistsAsync(cancellationToken)) return;
        await using var content = ReviewContent.OpenAsUtf8(await OpenAsync(run, cancellationToken), run.Blob, options);
        try
        {
            await copy.UploadAsync(content, new BlobUploadOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } },
                cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween()
            || exception.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Another worker splits the same file. Its commit drops our staged blocks and leaves the same bytes.
            if (!await copy.ExistsAsync(cancellationToken)) throw;
        }
    }

    /// <summary>A batch's bytes: one call.</summary>
    public async Task<InputReading> ReadAsync(ReviewBatchMessage message, CancellationToken cancellationToken)
    {
        var batch = message.Batch;
        if (batch.Error is not null || batch.Length == 0) return new(ReadOnlyMemory<byte>.Empty, null);

        var range = new HttpRange(batch.Offset, batch.Length);
        if (message.IsRewritten)
        {
            BlobDownloadResult copy = await new RunBlobs(storage, message.Run)
                .Content.DownloadContentAsync(new BlobDownloadOptions { Range = range }, cancellationToken);
            return new(Whole(copy, batch), null);
        }
        try
        {
            BlobDownloadResult content = await Source(message.Blob).DownloadContentAsync(
                new BlobDownloadOptions { Range = range, Conditions = SameContent(message.ETag) }, cancellationToken);
            return new(Whole(content, batch), null);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween() || exception.IsNotFound())
        {
            if (await ChangeOfAsync(message.Blob, message.ETag, cancellationToken) is { } loss) return new(default, loss);
            throw;
        }
    }

    /// <summary>What became of an input that could not be read; null when it is there, so that the failure was another.</summary>
    public async Task<InputChange?> ChangeOfAsync(BlobName blob, string etag, CancellationToken cancellationToken)
    {
        // A read under If-Match answers 412 for an absent blob as well as for a changed one.
        if (await TryGetPropertiesAsync(blob, cancellationToken) is not { } present) return InputChange.Deleted;
        return ETags.Unquote(present.ETag) == etag ? null : InputChange.DroppedAgain;
    }

    // Half an answer may pass for a whole one on the way; classified, it would be other rows.
    private static ReadOnlyMemory<byte> Whole(BlobDownloadResult answer, ReviewBatch batch)
    {
        var bytes = answer.Content.ToMemory();
        return bytes.Length == batch.Length ? bytes
            : throw new InvalidDataException(
                $"Storage sent {bytes.Length:N0} bytes of batch {batch.Index}, which has {batch.Length:N0}; try again.");
    }

    private static BlobRequestConditions SameContent(string etag) => new() { IfMatch = ETags.ToCondition(etag) };

    private BlobClient Source(BlobName blob) => storage.Container(StorageNames.Reviews).GetBlobClient(blob);
}

/// <summary>A batch's bytes, or why there are none.</summary>
internal readonly record struct InputReading(ReadOnlyMemory<byte> Content, InputChange? Loss);

/// <summary>What became of an input.</summary>
internal enum InputChange
{
    /// <summary>A newer file of that name is there.</summary>
    DroppedAgain,

    /// <summary>No file of that name is there.</summary>
    Deleted,
}
