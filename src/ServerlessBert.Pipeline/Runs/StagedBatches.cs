using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>
/// A run's output while it is made: a block a batch, with an id made from the plan and the batch's rows, so that staging
/// one twice replaces it and a block of another cut is never among those that are committed. The commit is one Put Block
/// List; after it the bytes do not change any more.
/// </summary>
internal sealed class StagedBatches(PipelineStorage storage, RunId run)
{
    private readonly RunBlobs _blobs = new(storage, run);

    /// <summary>Stages a batch's lines and counts: two calls.</summary>
    public async Task StageAsync(BlockId block, ReadOnlyMemory<byte> predictions, BatchStatistics statistics,
        CancellationToken cancellationToken)
    {
        await StageAsync(_blobs.Predictions, block, predictions, cancellationToken);
        byte[] line = [.. PipelineJson.ToBytes(statistics), (byte)'\n'];
        await StageAsync(_blobs.Statistics, block, line, cancellationToken);
    }

    /// <summary>Stages what the version in shadow said of a batch.</summary>
    public Task StageShadowAsync(BlockId block, ReadOnlyMemory<byte> predictions, CancellationToken cancellationToken) =>
        StageAsync(_blobs.Shadow, block, predictions, cancellationToken);

    /// <summary>About how many batches are staged: one call, which does not look at the plan.</summary>
    public async Task<int> CountAsync(CancellationToken cancellationToken) =>
        (await ReadAsync(_blobs.Statistics, cancellationToken)).Select(block => new BlockId(block).Index).Distinct().Count();

    /// <summary>Which of the blocks are not staged whole. Two calls: storage forgets blocks after a week, each blob's by itself.</summary>
    /// <returns>The blocks' places among those given.</returns>
    public async Task<IReadOnlyList<int>> MissingAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken)
    {
        var staged = await ReadAsync(_blobs.Statistics, cancellationToken);
        if (staged.Count > 0) staged.IntersectWith(await ReadAsync(_blobs.Predictions, cancellationToken));
        return [.. Enumerable.Range(0, blocks.Count).Where(place => !staged.Contains(blocks[place].Value))];
    }

    /// <summary>Commits the counts; again is harmless.</summary>
    public Task CommitStatisticsAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken) =>
        CommitAsync(_blobs.Statistics, blocks, cancellationToken);

    /// <summary>Commits the predictions; again is harmless.</summary>
    public Task CommitPredictionsAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken) =>
        CommitAsync(_blobs.Predictions, blocks, cancellationToken);

    /// <summary>Commits what the version in shadow said, of the batches that it managed, in order.</summary>
    public async Task CommitShadowAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken)
    {
        var staged = await ReadAsync(_blobs.Shadow, cancellationToken);
        BlockId[] managed = [.. blocks.Where(block => staged.Contains(block.Value))];
        if (managed.Length > 0) await CommitAsync(_blobs.Shadow, managed, cancellationToken);
    }

    /// <summary>The counts of the whole file, after their commit; with a sentence where they are not those of the plan's rows.</summary>
    public async Task<(BatchStatistics Sum, string? Mismatch)> SumAsync(RunPlan plan, CancellationToken cancellationToken)
    {
        await using var content = await _blobs.Statistics.OpenReadAsync(cancellationToken: cancellationToken);
        using var lines = new StreamReader(content);
        var sum = BatchStatistics.Empty;
        int batch = 0;
        for (; await lines.ReadLineAsync(cancellationToken) is { } line; batch++)
        {
            if (Parse(line) is not { } counts) return (sum, $"The counts of batch {batch} cannot be read.");
            if (batch >= plan.Batches.Count) break;
            if (counts.Rows != plan.Batches[batch].Rows)
                return (sum, $"Batch {batch} was staged with {counts.Rows:N0} rows and is planned with {plan.Batches[batch].Rows:N0}.");
            sum += counts;
        }
        return (sum, batch == plan.Batches.Count && sum.Rows == plan.Rows ? null
            : $"{batch:N0} batches with {sum.Rows:N0} rows were staged, and {plan.Batches.Count:N0} with {plan.Rows:N0} are planned.");
    }

    private static BatchStatistics? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, PipelineJson.Of<BatchStatistics>());
        }
        catch (JsonException)
        {
            return null; // told with the batch's number
        }
    }

    private static async Task<HashSet<string>> ReadAsync(BlockBlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            BlockList blocks = await blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: cancellationToken);
            return [.. blocks.CommittedBlocks.Concat(blocks.UncommittedBlocks).Select(block => block.Name)];
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return [];
        }
    }

    private static async Task StageAsync(BlockBlobClient blob, BlockId block, ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken)
    {
        try
        {
            await blob.StageBlockAsync(block.Value, BinaryData.FromBytes(bytes).ToStream(), cancellationToken: cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsUnwritable())
        {
            throw StorageErrors.Unwritable(blob, exception);
        }
    }

    // Only the first commit of the plan's blocks counts: a late duplicate's block must not change bytes that are being
    // copied. What another release's worker committed of another cut is replaced.
    private static async Task CommitAsync(BlockBlobClient blob, IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken)
    {
        string[] ids = [.. blocks.Select(block => block.Value)];
        string? etag = null;
        await ContendedWrite.RetryUntilAsync($"{blob.BlobContainerName}/{blob.Name}", async () =>
        {
            try
            {
                await blob.CommitBlockListAsync(ids, new CommitBlockListOptions
                {
                    Conditions = Blobs.Unchanged(etag),
                    HttpHeaders = new BlobHttpHeaders { ContentType = "application/x-ndjson" },
                }, cancellationToken);
                return true;
            }
            catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
            {
                BlockList there = await blob.GetBlockListAsync(BlockListTypes.Committed, cancellationToken: cancellationToken);
                if (there.CommittedBlocks.Select(block => block.Name).SequenceEqual(ids)) return true;
                etag = ETags.Unquote((await blob.GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ETag);
                return false;
            }
            catch (RequestFailedException exception) when (exception.IsUnwritable())
            {
                throw StorageErrors.Unwritable(blob, exception);
            }
        }, cancellationToken);
    }
}

/// <summary>The id of a staged batch's block: eight bytes in Base64, since all ids of a blob must have one length.</summary>
/// <param name="Value">The id.</param>
internal readonly record struct BlockId(string Value)
{
    private const byte OfPlan = 1;

    /// <summary>The most batches that an id can number; storage commits 50,000 blocks.</summary>
    public const int MaxBatches = ushort.MaxValue + 1;

    /// <summary>The batch's index.</summary>
    public int Index
    {
        get
        {
            byte[] bytes = Convert.FromBase64String(Value);
            return bytes[0] == OfPlan ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(1))
                : int.Parse(Encoding.ASCII.GetString(bytes), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The id of a batch: its index, then 40 bits of the SHA-256 of plan and rows.</summary>
    /// <param name="plan">The plan's digest; null gives the id that releases without one made, eight digits of the index.</param>
    /// <param name="batch">The batch.</param>
    public static BlockId Compute(string? plan, ReviewBatch batch)
    {
        if (plan is null) return new(
            Convert.ToBase64String(Encoding.ASCII.GetBytes(batch.Index.ToString("D8", CultureInfo.InvariantCulture))));
        Span<byte> id = stackalloc byte[8];
        string rows = string.Create(CultureInfo.InvariantCulture,
            $"{plan}\n{batch.Index}\n{batch.Offset}\n{batch.Length}\n{batch.FirstRow}\n{batch.Rows}");
        SHA256.HashData(Encoding.ASCII.GetBytes(rows)).AsSpan(0, 5).CopyTo(id[3..]);
        id[0] = OfPlan;
        BinaryPrimitives.WriteUInt16BigEndian(id[1..], checked((ushort)batch.Index));
        return new(Convert.ToBase64String(id));
    }

    /// <summary>The ids of a plan's batches, in order.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="isLegacy">Whether the run was begun by a release whose messages named no plan.</param>
    public static IReadOnlyList<BlockId> Compute(RunPlan plan, bool isLegacy = false) =>
        [.. plan.Batches.Select(batch => Compute(isLegacy ? null : plan.Digest, batch))];
}
