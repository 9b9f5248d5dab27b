using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>Where a run keeps what in the runs container.</summary>
internal sealed class RunBlobs(PipelineStorage storage, string run)
{
    private readonly BlobContainerClient _runs = storage.Container(StorageNames.Runs);

    /// <summary>All batches, as planned.</summary>
    public BlobClient Plan => _runs.GetBlobClient($"{run}/plan.json");

    /// <summary>The content as plain UTF-8, where the input is not.</summary>
    public BlobClient Content => _runs.GetBlobClient($"{run}/content");

    /// <summary>Staged predictions, a block a batch.</summary>
    public BlockBlobClient Predictions => _runs.GetBlockBlobClient($"{run}/predictions.jsonl");

    /// <summary>Staged statistics, a block (and line) a batch. Staged after the predictions, so that what is here is there.</summary>
    public BlockBlobClient Statistics => _runs.GetBlockBlobClient($"{run}/statistics.jsonl");

    /// <summary>Staged predictions of the version in shadow, a block for each batch that it took.</summary>
    public BlockBlobClient Shadow => _runs.GetBlockBlobClient($"{run}/shadow.jsonl");

    /// <summary>Why a batch failed last.</summary>
    public BlobClient Failure(int batch) => _runs.GetBlobClient($"{run}/failures/{batch}.json");
}
