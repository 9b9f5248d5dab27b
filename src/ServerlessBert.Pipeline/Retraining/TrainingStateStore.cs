using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// What a training needs to survive its process, under its id in the trainings container: document, plan, the newest two
/// checkpoints, and the trained candidate until it is published.
/// </summary>
public sealed class TrainingStateStore(PipelineStorage storage, TimeProvider time)
{
    private const string CheckpointPrefix = "checkpoint-", CandidateName = "candidate";

    // The newest may turn out damaged; what is older than the second costs only money.
    private const int KeptCheckpoints = 2;

    // A message lives for 7 days, so after that no trainer asks for an unended document any more; an ended one is history by then.
    private static readonly TimeSpan KeptDocument = TimeSpan.FromDays(30);

    private readonly BlobContainerClient _trainings = storage.Container(StorageNames.Trainings);
    private readonly StoredFolders _folders = new(storage);

    /// <summary>The document of a request, new or as an earlier attempt left it.</summary>
    public Task<TrainingDocument> OpenAsync(string id, CancellationToken cancellationToken = default) => TrainingDocument.OpenAsync(storage, id, time, cancellationToken);

    /// <summary>The plan, or null before there is one.</summary>
    public async Task<TrainingPlan?> ReadPlanAsync(string id, CancellationToken cancellationToken = default)
    {
        BlobDownloadResult? content = await Plan(id).TryDownloadAsync(cancellationToken);
        return content is null ? null : JsonSerializer.Deserialize(content.Content.ToMemory().Span, PipelineJson.Of<TrainingPlan>());
    }

    /// <summary>Keeps the plan.</summary>
    public Task SavePlanAsync(string id, TrainingPlan plan, CancellationToken cancellationToken = default) =>
        Plan(id).UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(plan, PipelineJson.Of<TrainingPlan>())), overwrite: true, cancellationToken);

    /// <summary>Copies a whole local checkpoint folder, and deletes those older than the newest two.</summary>
    /// <param name="id">The training.</param>
    /// <param name="folder">A folder named <c>checkpoint-&lt;step&gt;</c>.</param>
    /// <param name="cancellationToken">Ends the copying; what was copied is not taken for a checkpoint.</param>
    /// <returns>The checkpoint's step.</returns>
    public async Task<int> SaveCheckpointAsync(string id, string folder, CancellationToken cancellationToken = default)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        int step = StepOf(name) ?? throw new ArgumentException($"A checkpoint's folder is named {CheckpointPrefix}<step>, not {name}.", nameof(folder));
        await _folders.UploadAsync($"{id}/{name}", folder, cancellationToken);
        foreach (string old in (await CheckpointsAsync(id, cancellationToken)).Skip(KeptCheckpoints)) await _folders.DeleteAsync($"{id}/{old}", cancellationToken);
        return step;
    }

    /// <summary>Brings the newest whole checkpoint into a local folder.</summary>
    /// <param name="id">The training.</param>
    /// <param name="folder">The folder that holds checkpoint folders; made where missing.</param>
    /// <param name="say">Told of copies that are not whole.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <returns>The checkpoint's step, or 0 where there is none.</returns>
    public async Task<int> LoadCheckpointAsync(string id, string folder, Action<string> say, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in await CheckpointsAsync(id, cancellationToken))
        {
            string? problem = await _folders.DownloadAsync($"{id}/{name}", Path.Combine(folder, name), cancellationToken);
            if (problem is null) return StepOf(name)!.Value;
            say($"{problem} The checkpoint before it is taken, or training begins again.");
        }
        return 0;
    }

    /// <summary>Keeps the trained model as it will be published, so that a repeated publishing has the very same bytes.</summary>
    public Task SaveCandidateAsync(string id, string folder, CancellationToken cancellationToken = default) => _folders.UploadAsync($"{id}/{CandidateName}", folder, cancellationToken);

    /// <summary>Brings the trained model into a local folder, where an earlier attempt came so far.</summary>
    public async Task<bool> TryLoadCandidateAsync(string id, string folder, CancellationToken cancellationToken = default) =>
        await _folders.DownloadAsync($"{id}/{CandidateName}", folder, cancellationToken) is null;

    /// <summary>Deletes plan, checkpoints and candidate. The document stays, as history.</summary>
    public Task ClearAsync(string id, CancellationToken cancellationToken = default) => _folders.DeleteAsync(id, cancellationToken);

    /// <summary>The newest trainings' documents, those that have not ended first.</summary>
    /// <param name="count">Most documents.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<TrainingJobState>> RecentAsync(int count, CancellationToken cancellationToken = default)
    {
        List<(string Id, DateTimeOffset Modified)> documents;
        try
        {
            documents = await DocumentsAsync(cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.IsNotFound())
        {
            return []; // storage of an earlier release, where no trainer came by yet
        }
        var runs = new List<TrainingJobState>();
        foreach (var (id, _) in documents.OrderByDescending(document => document.Modified).Take(count))
        {
            if (await Document(id).TryDownloadAsync(cancellationToken) is { } content) runs.Add(TrainingDocument.Parse(content.Content));
        }
        return [.. runs.OrderBy(run => run.HasEnded).ThenByDescending(run => run.Updated)];
    }

    /// <summary>Deletes what trainings of long ago left: nobody will ask for it any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken = default)
    {
        foreach (var (id, modified) in await DocumentsAsync(cancellationToken))
        {
            if (time.GetUtcNow() - modified < KeptDocument) continue;
            await ClearAsync(id, cancellationToken);
            await Document(id).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        }
    }

    private async Task<List<(string Id, DateTimeOffset Modified)>> DocumentsAsync(CancellationToken cancellationToken)
    {
        var documents = new List<(string, DateTimeOffset)>();
        await foreach (BlobHierarchyItem item in _trainings.GetBlobsByHierarchyAsync(new GetBlobsByHierarchyOptions { Delimiter = "/" }, cancellationToken))
        {
            if (item.IsBlob && item.Blob.Name.EndsWith(".json", StringComparison.Ordinal))
                documents.Add((item.Blob.Name[..^".json".Length], item.Blob.Properties.LastModified ?? default));
        }
        return documents;
    }

    private async Task<IReadOnlyList<string>> CheckpointsAsync(string id, CancellationToken cancellationToken) =>
        [.. (await _folders.ListAsync(id, cancellationToken)).Where(name => StepOf(name) is not null).OrderByDescending(StepOf)];

    private static int? StepOf(string name) =>
        name.StartsWith(CheckpointPrefix, StringComparison.Ordinal) && int.TryParse(name[CheckpointPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : null;

    private BlobClient Document(string id) => _trainings.GetBlobClient($"{id}.json");

    private BlobClient Plan(string id) => _trainings.GetBlobClient($"{id}/plan.json");
}
