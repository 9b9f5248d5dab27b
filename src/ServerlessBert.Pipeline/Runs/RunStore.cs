using System.Globalization;
using System.Runtime.CompilerServices;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Runs;

/// <summary>The runs' documents: written under conditions, listed by their metadata, followed while they go on.</summary>
public sealed class RunStore(PipelineStorage storage)
{
    /// <summary>The error code of a run whose document cannot be read.</summary>
    internal const string DamagedCode = "damaged_document";

    private const string StateMetadata = "state";
    private const string StartedMetadata = "started";
    private const string ClearedMetadata = "cleared";

    private readonly BlobContainerClient _runs = storage.Container(StorageNames.Runs);

    /// <summary>A run's document, or null.</summary>
    /// <exception cref="DamagedDocumentException">It cannot be read.</exception>
    public async Task<Run?> TryReadAsync(RunId id, CancellationToken cancellationToken = default) =>
        (await Document(id).ReadAsync(null, cancellationToken)).Intact;

    /// <summary>Every run's id, state and times, from one listing.</summary>
    public async IAsyncEnumerable<RunEntry> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The delimiter leaves out what lies in the runs' folders: thousands of blobs there cost nothing here.
        var options = new GetBlobsByHierarchyOptions { Delimiter = "/", Traits = BlobTraits.Metadata };
        await foreach (var item in _runs.GetBlobsByHierarchyAsync(options, cancellationToken))
        {
            if (item.IsBlob && EntryOf(item.Blob) is { } entry) yield return entry;
        }
    }

    /// <summary>The newest runs' documents, with their progress.</summary>
    /// <param name="count">How many finished ones at most; unfinished ones are all there, up to a hundred.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<RunProgress>> RecentAsync(int count, CancellationToken cancellationToken = default)
    {
        const int mostUnfinished = 100;
        var entries = new List<RunEntry>();
        await foreach (var entry in ListAsync(cancellationToken)) entries.Add(entry);
        entries.Sort((left, right) => right.Started.CompareTo(left.Started));
        var chosen = entries.Where(entry => !entry.IsFinished).Take(mostUnfinished)
            .Concat(entries.Where(entry => entry.IsFinished).Take(count));

        var runs = new List<RunProgress>();
        foreach (var entry in chosen)
        {
            var reading = await Document(entry.Id).ReadAsync(null, cancellationToken);
            if (reading.Damage is { } damage) runs.Add(new RunProgress(Damaged(entry, damage), 0));
            else if (reading.Value is { } run) runs.Add(await ProgressAsync(run, cancellationToken));
        }
        return runs;
    }

    /// <summary>How much of a run is staged; asks storage only while it classifies.</summary>
    public async Task<RunProgress> ProgressAsync(Run run, CancellationToken cancellationToken = default) =>
        run.State == RunState.Classifying
        ? new(run, await new StagedBatches(storage, run.Id).CountAsync(cancellationToken))
        : new(run, run.Staged);

    /// <summary>Follows a drop until its run ends: an item at each look, null while the run has not begun.</summary>
    /// <param name="blob">The file's name in the reviews container.</param>
    /// <param name="etag">The ETag that the drop got.</param>
    /// <param name="interval">Between two looks.</param>
    /// <param name="cancellationToken">Ends the following.</param>
    public async IAsyncEnumerable<RunProgress?> FollowAsync(string blob, string etag, TimeSpan interval,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var id = RunId.Compute(blob, etag);
        while (true)
        {
            var run = await TryReadAsync(id, cancellationToken);
            yield return run is null ? null : await ProgressAsync(run, cancellationToken);
            if (run?.IsFinished == true) yield break;
            await Task.Delay(interval, cancellationToken);
        }
    }

    /// <summary>Writes a new run's document, unless there is one.</summary>
    /// <returns>Whether it was written.</returns>
    internal async Task<bool> TryCreateAsync(Run run, CancellationToken cancellationToken) =>
        await Document(run.Id).CreateAsync(run, cancellationToken) is not null;

    /// <summary>Changes an unfinished run's document; decides anew when another writer came in between.</summary>
    /// <param name="id">The run.</param>
    /// <param name="change">The document as it should be, or null to leave it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The changed document, or null where nothing was changed.</returns>
    internal async Task<Run?> UpdateAsync(RunId id, Func<Run, Run?> change, CancellationToken cancellationToken)
    {
        var changed = await Document(id).ChangeAsync(read =>
            read.Intact is { IsFinished: false } run ? change(run) : null, cancellationToken);
        return changed.IsWritten ? changed.Value : null;
    }

    /// <summary>Puts a run in the place of a document that cannot be read.</summary>
    internal Task ReplaceDamagedAsync(Run run, CancellationToken cancellationToken) =>
        Document(run.Id).ChangeAsync(read => read.Damage is null ? null : run, cancellationToken);

    /// <summary>Marks an ended run's document, so that the next listing tells that its folder is gone.</summary>
    internal async Task MarkClearedAsync(RunId id, CancellationToken cancellationToken)
    {
        if (await BlobOf(id).TryGetPropertiesAsync(cancellationToken) is not { } properties) return;
        var metadata = new Dictionary<string, string>(properties.Metadata) { [ClearedMetadata] = "true" };
        await BlobOf(id).SetMetadataAsync(metadata, new BlobRequestConditions { IfMatch = properties.ETag }, cancellationToken);
    }

    /// <summary>Deletes an ended run's document.</summary>
    internal Task DeleteAsync(RunId id, CancellationToken cancellationToken) =>
        BlobOf(id).DeleteIfExistsAsync(cancellationToken: cancellationToken);

    private static RunEntry? EntryOf(BlobItem blob) =>
        blob.Name.EndsWith(".json", StringComparison.Ordinal) && RunId.TryParse(blob.Name[..^".json".Length], out var id)
        && blob.Metadata.TryGetValue(StateMetadata, out string? state) && Enum.TryParse(state, out RunState known)
        && blob.Metadata.TryGetValue(StartedMetadata, out string? started)
        && DateTimeOffset.TryParse(started, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var when)
            ? new RunEntry(id, known, when, blob.Properties.LastModified ?? when) { IsCleared = blob.Metadata.ContainsKey(ClearedMetadata) }
            : null;

    // What a listing still tells of a document that cannot be read: the status shows it with the reason.
    private static Run Damaged(RunEntry entry, string damage) => new()
    {
        Id = entry.Id,
        Blob = BlobName.Parse($"{entry.Id}.json"),
        ETag = "",
        Model = "",
        State = entry.State,
        Dropped = entry.Started,
        Started = entry.Started,
        ErrorCode = DamagedCode,
        ErrorMessage = damage,
    };

    private JsonBlob<Run> Document(RunId id) => new(BlobOf(id), run => new Dictionary<string, string>
    {
        [StateMetadata] = run.State.ToString(),
        [StartedMetadata] = run.Started.ToString("O", CultureInfo.InvariantCulture),
    });

    private BlobClient BlobOf(RunId id) => _runs.GetBlobClient($"{id}.json");
}

/// <summary>A run in a listing.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Its state.</param>
/// <param name="Started">When it began.</param>
/// <param name="Updated">When its document changed last.</param>
public sealed record RunEntry(RunId Id, RunState State, DateTimeOffset Started, DateTimeOffset Updated)
{
    /// <summary>Whether it will not change any more.</summary>
    public bool IsFinished => State is RunState.Done or RunState.Superseded or RunState.Failed;

    /// <summary>Whether what it had staged was cleared away since.</summary>
    public bool IsCleared { get; init; }
}

/// <summary>A run and how much of it is staged.</summary>
/// <param name="Run">The run's document.</param>
/// <param name="Staged">Batches staged, of <see cref="Run.Batches"/>.</param>
public sealed record RunProgress(Run Run, int Staged);

/// <summary>Where a run keeps what in the runs container.</summary>
internal sealed class RunBlobs(PipelineStorage storage, RunId run)
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
