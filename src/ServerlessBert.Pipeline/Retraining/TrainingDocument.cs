using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// A training's document in the hands of the one process that works on it. Each write is conditional on the last one, so
/// that a process that was taken for dead and is not finds out at its next write.
/// </summary>
public sealed class TrainingDocument : IDisposable
{
    private readonly JsonBlob<TrainingJobState> _blob;
    private readonly TimeProvider _time;
    private readonly string _worker = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _lost = new();
    private string? _etag;

    private TrainingDocument(JsonBlob<TrainingJobState> blob, TimeProvider time, JsonReading<TrainingJobState> reading, string id)
    {
        (_blob, _time, _etag, Damage) = (blob, time, reading.ETag, reading.Damage);
        DateTimeOffset now = time.GetUtcNow();
        Run = reading.Value ?? new TrainingJobState { Id = id, Started = now, Updated = now };
    }

    /// <summary>The document as this process wrote or read it last; a new one where it was absent or damaged.</summary>
    public TrainingJobState Run { get; private set; }

    /// <summary>Why what stood there could not be read, in a sentence; null where it could, or nothing did.</summary>
    public string? Damage { get; }

    /// <summary>Cancelled when a write found that another process works on the training now.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Reads a training's document, or begins one. Nothing is written yet.</summary>
    /// <param name="blob">Where it is.</param>
    /// <param name="id">The request's id.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal static async Task<TrainingDocument> OpenAsync(
        JsonBlob<TrainingJobState> blob, string id, TimeProvider time, CancellationToken cancellationToken) =>
        new(blob, time, await blob.ReadAsync(null, cancellationToken), id);

    /// <summary>Counts an attempt, before any work: an attempt that dies has been counted.</summary>
    /// <exception cref="TrainingLostException">Another process works on it.</exception>
    public Task BeginAttemptAsync(CancellationToken cancellationToken = default) => ChangeAsync(
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
    public async Task ChangeAsync(Func<TrainingJobState, TrainingJobState> change, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            TrainingJobState changed = change(Run) with { Updated = _time.GetUtcNow() };
            if (await _blob.WriteAsync(changed, _etag, cancellationToken) is not { } written)
            {
                await _lost.CancelAsync();
                throw new TrainingLostException(changed.Id);
            }
            (Run, _etag) = (changed, written);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Dispose();
        _lost.Dispose();
    }
}

/// <summary>Another process works on the training now; this one must stop.</summary>
/// <param name="id">The training.</param>
public sealed class TrainingLostException(string id) : ServerlessBertException($"Another trainer works on request {id} now.");
