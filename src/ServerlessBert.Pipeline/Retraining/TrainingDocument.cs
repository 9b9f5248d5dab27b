using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// A training's document in the hands of the one process that works on it. Each write is conditional on the last one, so
/// that a process that was taken for dead and is not finds out at its next write.
/// </summary>
public sealed class TrainingDocument : IDisposable
{
    private readonly BlobClient _blob;
    private readonly TimeProvider _time;
    private readonly string _worker;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _lost = new();
    private string? _etag;

    private TrainingDocument(BlobClient blob, TimeProvider time, string worker, TrainingJobState run, string? etag) =>
        (_blob, _time, _worker, Run, _etag) = (blob, time, worker, run, etag);

    /// <summary>The document as this process wrote or read it last.</summary>
    public TrainingJobState Run { get; private set; }

    /// <summary>Cancelled when a write found that another process works on the training now.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Reads a training's document, or begins one. Nothing is written yet.</summary>
    /// <param name="storage">Where trainings are.</param>
    /// <param name="id">The request's id.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal static async Task<TrainingDocument> OpenAsync(PipelineStorage storage, string id, TimeProvider time, CancellationToken cancellationToken)
    {
        BlobClient blob = storage.Container(StorageNames.Trainings).GetBlobClient($"{id}.json");
        string worker = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
        BlobDownloadResult? content = await blob.TryDownloadAsync(cancellationToken);
        DateTimeOffset now = time.GetUtcNow();
        return content is null
            ? new(blob, time, worker, new TrainingJobState { Id = id, Started = now, Updated = now }, null)
            : new(blob, time, worker, Parse(content.Content), ETags.Unquote(content.Details.ETag));
    }

    /// <summary>Counts an attempt, before any work: an attempt that dies has been counted.</summary>
    /// <exception cref="TrainingLostException">Another process works on it.</exception>
    public Task BeginAttemptAsync(CancellationToken cancellationToken = default) => WriteAsync(
        run => run with
        {
            Stage = TrainingStage.Preparing,
            Attempts = run.Attempts + 1,
            AttemptsSinceProgress = run.AttemptsSinceProgress + 1,
            Host = Environment.MachineName,
            Worker = _worker,
        },
        cancellationToken);

    /// <summary>Changes the document.</summary>
    /// <exception cref="TrainingLostException">Another process works on it now.</exception>
    public Task ChangeAsync(Func<TrainingJobState, TrainingJobState> change, CancellationToken cancellationToken = default) => WriteAsync(change, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Dispose();
        _lost.Dispose();
    }

    private async Task WriteAsync(Func<TrainingJobState, TrainingJobState> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            TrainingJobState changed = change(Run) with { Updated = _time.GetUtcNow() };
            await UploadAsync(changed, cancellationToken);
            Run = changed;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task UploadAsync(TrainingJobState changed, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                BlobContentInfo written = await _blob.UploadAsync(
                    new BinaryData(JsonSerializer.SerializeToUtf8Bytes(changed, PipelineJson.Of<TrainingJobState>())),
                    new BlobUploadOptions { Conditions = Blobs.Unchanged(_etag), HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" } },
                    cancellationToken);
                _etag = ETags.Unquote(written.ETag);
                return;
            }
            catch (RequestFailedException exception) when (exception.IsWrittenInBetween())
            {
                // A write whose answer was lost on the way comes back as a failed condition: then the last writer is this process.
                if (await _blob.TryDownloadAsync(cancellationToken) is { } there && Parse(there.Content).Worker == _worker)
                {
                    _etag = ETags.Unquote(there.Details.ETag);
                    continue;
                }
                await _lost.CancelAsync();
                throw new TrainingLostException(changed.Id);
            }
        }
    }

    internal static TrainingJobState Parse(BinaryData content) => JsonSerializer.Deserialize(content.ToMemory().Span, PipelineJson.Of<TrainingJobState>())
        ?? throw new InvalidDataException("A training's document is empty.");
}

/// <summary>Another process works on the training now; this one must stop.</summary>
/// <param name="id">The training.</param>
public sealed class TrainingLostException(string id) : ServerlessBertException($"Another trainer works on request {id} now.");
