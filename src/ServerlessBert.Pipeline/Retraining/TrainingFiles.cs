using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// What lies in training-data/: files to learn from, and under <see cref="EvaluationFolder"/> the fixed evaluation set, which
/// is never learned from.
/// </summary>
/// <param name="Data">Files to learn from, oldest first.</param>
/// <param name="Evaluation">Files to measure on, oldest first.</param>
public sealed record TrainingFiles(IReadOnlyList<TrainingFile> Data, IReadOnlyList<TrainingFile> Evaluation)
{
    /// <summary>Where the fixed evaluation set is.</summary>
    public const string EvaluationFolder = "evaluation/";

    /// <summary>Lists the files whose names tell that they hold reviews.</summary>
    /// <param name="storage">Where they are.</param>
    /// <param name="names">Names or prefixes of the files to learn from; null takes all.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    public static async Task<TrainingFiles> ListAsync(
        PipelineStorage storage, IReadOnlyList<string>? names = null, CancellationToken cancellationToken = default)
    {
        var data = new List<TrainingFile>();
        var evaluation = new List<TrainingFile>();
        await foreach (BlobItem blob in storage.Container(StorageNames.TrainingData).GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (!ReviewContent.TryGetFormat(blob.Name, out _, out _, out _) || blob.Properties.ETag is not { } etag) continue;
            var file = new TrainingFile(blob.Name, ETags.Unquote(etag), blob.Properties.LastModified ?? default);
            if (blob.Name.StartsWith(EvaluationFolder, StringComparison.Ordinal)) evaluation.Add(file);
            else if (names is null || names.Any(name => blob.Name.StartsWith(name, StringComparison.Ordinal))) data.Add(file);
        }
        return new TrainingFiles(OldestFirst(data), OldestFirst(evaluation));
    }

    private static TrainingFile[] OldestFirst(List<TrainingFile> files) =>
        [.. files.OrderBy(file => file.Modified).ThenBy(file => file.Name, StringComparer.Ordinal)];
}

/// <summary>The part of a version's training.json that says which files it was trained on.</summary>
public sealed record TrainingDataList
{
    /// <summary>The files; null or empty where the model was not trained here.</summary>
    public IReadOnlyList<TrainingDataFile>? Data { get; init; }
}

/// <summary>A labelled file as a training saw it.</summary>
/// <param name="Name">Its name in the training-data container.</param>
/// <param name="ETag">Its ETag then; null where the file did not come from storage.</param>
/// <param name="Rows">Labelled rows it gave; 0 where it could not be read.</param>
public sealed record TrainingDataFile(string Name, string? ETag, long Rows = 0);
