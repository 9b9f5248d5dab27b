using System.Globalization;
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

    // An ended one is history by then. A request that waited for longer, since no trainer ran, begins anew.
    private static readonly TimeSpan KeptDocument = TimeSpan.FromDays(30);

    private readonly BlobContainerClient _trainings = storage.Container(StorageNames.Trainings);

    /// <summary>The document of a request, new or as an earlier attempt left it.</summary>
    public Task<TrainingDocument> OpenAsync(string id, CancellationToken cancellationToken = default) =>
        TrainingDocument.OpenAsync(Document(id), id, time, cancellationToken);

    /// <summary>The plan; no value where there is none yet.</summary>
    public Task<JsonReading<TrainingPlan>> ReadPlanAsync(string id, CancellationToken cancellationToken = default) =>
        Plan(id).ReadAsync(null, cancellationToken);

    /// <summary>Keeps the plan, in the place of whatever stands there.</summary>
    /// <exception cref="UnwritableBlobException">Something holds the blob.</exception>
    public Task SavePlanAsync(string id, TrainingPlan plan, CancellationToken cancellationToken = default) =>
        Plan(id).ChangeAsync(_ => plan, cancellationToken);

    /// <summary>Copies a whole local checkpoint folder, and deletes those older than the newest two.</summary>
    /// <param name="id">The training.</param>
    /// <param name="folder">A folder named <c>checkpoint-&lt;step&gt;</c>.</param>
    /// <param name="cancellationToken">Ends the copying; what was copied is not taken for a checkpoint.</param>
    /// <returns>The checkpoint's step.</returns>
    public async Task<int> SaveCheckpointAsync(string id, string folder, CancellationToken cancellationToken = default)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        int step = StepOf(name) ?? throw new ArgumentException(
            $"A checkpoint's folder is named {CheckpointPrefix}<step>, not {name}.", nameof(folder));
        await Folder($"{id}/{name}").ReplaceAsync(folder, cancellationToken);
        foreach (string old in (await CheckpointsAsync(id, cancellationToken)).Skip(KeptCheckpoints))
            await Folder($"{id}/{old}").DeleteAsync(cancellationToken);
        return step;
    }

    /// <summary>Brings the newest whole checkpoint into a local folder.</summary>
    /// <param name="id">The training.</param>
    /// <param name="folder">The folder that holds checkpoint folders; made where missing.</param>
    /// <param name="report">Told of copies that are not whole.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <returns>The checkpoint's step, or 0 where there is none.</returns>
    public async Task<int> LoadCheckpointAsync(
        string id, string folder, Action<string> report, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in await CheckpointsAsync(id, cancellationToken))
        {
            string? problem = await LoadAsync($"{id}/{name}", Path.Combine(folder, name), cancellationToken);
            if (problem is null) return StepOf(name)!.Value;
            report(problem);
        }
        return 0;
    }

    /// <summary>Keeps the trained model as it will be published, so that a repeated publishing has the very same bytes.</summary>
    public Task SaveCandidateAsync(string id, string folder, CancellationToken cancellationToken = default) =>
        Folder($"{id}/{CandidateName}").ReplaceAsync(folder, cancellationToken);

    /// <summary>Brings the trained model into a local folder, where an earlier attempt came so far.</summary>
    public async Task<bool> TryLoadCandidateAsync(string id, string folder, CancellationToken cancellationToken = default) =>
        await LoadAsync($"{id}/{CandidateName}", folder, cancellationToken) is null;

    /// <summary>Deletes plan, checkpoints and candidate. The document stays, as history.</summary>
    public Task ClearAsync(string id, CancellationToken cancellationToken = default) => Folder(id).DeleteAsync(cancellationToken);

    /// <summary>The newest trainings' documents, those that have not ended first. One that is damaged is shown as that.</summary>
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
        foreach (var (id, modified) in documents.OrderByDescending(document => document.Modified).Take(count))
        {
            var reading = await Document(id).ReadAsync(null, cancellationToken);
            if (reading.Damage is { } damage) runs.Add(TrainingJobState.Damaged(id, modified, damage));
            else if (reading.Value is { } run) runs.Add(run);
        }
        return [.. runs.OrderBy(run => run.HasEnded).ThenByDescending(run => run.Updated)];
    }

    /// <summary>Deletes what trainings of long ago left: nobody will ask for it any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken = default)
    {
        foreach (var (id, modified) in await DocumentsAsync(cancellationToken))
        {
            if (time.GetUtcNow() - modified < KeptDocument) continue;
            try
            {
                await ClearAsync(id, cancellationToken);
                await DocumentBlob(id).DeleteIfExistsAsync(cancellationToken: cancellationToken);
            }
            catch (RequestFailedException exception) when (exception.IsUnwritable())
            {
                // Somebody holds one of its blobs: it stays, and is no reason not to train.
            }
        }
    }

    private async Task<List<(string Id, DateTimeOffset Modified)>> DocumentsAsync(CancellationToken cancellationToken)
    {
        var documents = new List<(string, DateTimeOffset)>();
        var ownLevel = new GetBlobsByHierarchyOptions { Delimiter = "/" };
        await foreach (BlobHierarchyItem item in _trainings.GetBlobsByHierarchyAsync(ownLevel, cancellationToken))
        {
            if (item.IsBlob && item.Blob.Name.EndsWith(".json", StringComparison.Ordinal))
                documents.Add((item.Blob.Name[..^".json".Length], item.Blob.Properties.LastModified ?? default));
        }
        return documents;
    }

    private async Task<IReadOnlyList<string>> CheckpointsAsync(string id, CancellationToken cancellationToken) =>
        [.. (await BlobFolder.ListAsync(_trainings, id, cancellationToken))
            .Where(name => StepOf(name) is not null).OrderByDescending(StepOf)];

    // Under a temporary name until every hash was right, so that a local folder is whole too.
    private async Task<string?> LoadAsync(string path, string folder, CancellationToken cancellationToken)
    {
        string partial = folder + ".partial";
        try
        {
            var manifest = await Folder(path).ReadManifestAsync<FolderManifest>(cancellationToken);
            if (manifest.Damage is { } damage) return damage;
            if (manifest.Value is not { } whole) return $"{path} has no {BlobFolder.ManifestName}: its upload was interrupted.";
            if (whole.Files.Contains(null!)) return $"{path}/{BlobFolder.ManifestName} is damaged: it does not name files.";
            if (await Folder(path).DownloadAsync(whole.Files, partial, cancellationToken) is { } problem)
                return $"{path}/{problem.File} {problem.Detail}.";
            Directory.Move(partial, folder);
            return null;
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    private static int? StepOf(string name) =>
        name.StartsWith(CheckpointPrefix, StringComparison.Ordinal)
            && int.TryParse(name[CheckpointPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int step)
            ? step
            : null;

    private BlobFolder Folder(string path) => new(_trainings, path);

    private JsonBlob<TrainingJobState> Document(string id) => new(DocumentBlob(id));

    private BlobClient DocumentBlob(string id) => _trainings.GetBlobClient($"{id}.json");

    private JsonBlob<TrainingPlan> Plan(string id) => new(_trainings.GetBlobClient($"{id}/plan.json"));
}
