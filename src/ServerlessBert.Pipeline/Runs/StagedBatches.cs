using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>
/// A run's output while it is made: a block a batch, with an id made from the batch's index, so that staging one twice
/// replaces it. The commit is one Put Block List, once; after it the bytes do not change any more.
/// </summary>
internal sealed class StagedBatches(PipelineStorage storage, string run)
{
    private readonly RunBlobs _blobs = new(storage, run);

    /// <summary>Stages a batch's lines and counts: two calls.</summary>
    public async Task StageAsync(int batch, ReadOnlyMemory<byte> predictions, BatchStatistics statistics, CancellationToken cancellationToken)
    {
        await StageAsync(_blobs.Predictions, batch, predictions, cancellationToken);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(statistics, PipelineJson.Of<BatchStatistics>()), (byte)'\n'];
        await StageAsync(_blobs.Statistics, batch, line, cancellationToken);
    }

    /// <summary>Stages what the version in shadow said of a batch.</summary>
    public Task StageShadowAsync(int batch, ReadOnlyMemory<byte> predictions, CancellationToken cancellationToken) =>
        StageAsync(_blobs.Shadow, batch, predictions, cancellationToken);

    /// <summary>Which batches are staged: one call.</summary>
    public Task<StagedIndexes> ReadAsync(CancellationToken cancellationToken) => ReadAsync(_blobs.Statistics, cancellationToken);

    /// <summary>Commits what the version in shadow said, of the batches that it managed, in order.</summary>
    public async Task CommitShadowAsync(CancellationToken cancellationToken)
    {
        var staged = await ReadAsync(_blobs.Shadow, cancellationToken);
        if (staged.Indexes.Count > 0) await CommitAsync(_blobs.Shadow, staged.Indexes.Order(), cancellationToken);
    }

    private static async Task<StagedIndexes> ReadAsync(BlockBlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            BlockList blocks = await blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: cancellationToken);
            return new(blocks.CommittedBlocks.Concat(blocks.UncommittedBlocks).Select(block => IndexOf(block.Name)).ToHashSet());
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return new(new HashSet<int>());
        }
    }

    /// <summary>Commits all batches in order; again is harmless.</summary>
    public async Task CommitAsync(int batches, CancellationToken cancellationToken)
    {
        await CommitAsync(_blobs.Predictions, Enumerable.Range(0, batches), cancellationToken);
        await CommitAsync(_blobs.Statistics, Enumerable.Range(0, batches), cancellationToken);
    }

    /// <summary>The counts of the whole file, after the commit.</summary>
    public async Task<BatchStatistics> SumAsync(CancellationToken cancellationToken)
    {
        await using var content = await _blobs.Statistics.OpenReadAsync(cancellationToken: cancellationToken);
        using var lines = new StreamReader(content);
        var sum = BatchStatistics.Empty;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            sum += JsonSerializer.Deserialize(line, PipelineJson.Of<BatchStatistics>())!;
        }
        return sum;
    }

    private static Task StageAsync(BlockBlobClient blob, int batch, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        blob.StageBlockAsync(BlockId(batch), BinaryData.FromBytes(bytes).ToStream(), cancellationToken: cancellationToken);

    private static async Task CommitAsync(BlockBlobClient blob, IEnumerable<int> batches, CancellationToken cancellationToken)
    {
        try
        {
            await blob.CommitBlockListAsync(batches.Select(BlockId), new CommitBlockListOptions
            {
                // Only the first commit counts: a late duplicate's block must not change bytes that are being copied.
                Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
                HttpHeaders = new BlobHttpHeaders { ContentType = "application/x-ndjson" },
            }, cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
        {
            // Another worker found everything staged too and was first.
        }
    }

    // All ids of a blob must have one length.
    private static string BlockId(int batch) => Convert.ToBase64String(Encoding.ASCII.GetBytes(batch.ToString("D8", CultureInfo.InvariantCulture)));

    private static int IndexOf(string blockId) => int.Parse(Encoding.ASCII.GetString(Convert.FromBase64String(blockId)), CultureInfo.InvariantCulture);
}

/// <summary>Which batches of a run are staged.</summary>
/// <param name="Indexes">Their indexes.</param>
internal sealed record StagedIndexes(IReadOnlySet<int> Indexes)
{
    /// <summary>The indexes that are not staged.</summary>
    public IEnumerable<int> Missing(int batches) => Enumerable.Range(0, batches).Where(batch => !Indexes.Contains(batch));
}
