using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Models;

/// <summary>
/// The models in memory: loaded lazily and once, the live one swapped when the pointer moves, each freed when its last
/// lease ends. A new version is downloaded, checked, loaded and warmed while the old one serves; one that cannot be
/// loaded changes nothing.
/// </summary>
public sealed partial class ModelCache : IDisposable
{
    private readonly ModelRegistry _registry;
    private readonly ModelCacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelCache> _logger;
    private readonly ModelLoader _loader;

    // One forward pass at a time: it uses every core.
    private readonly SemaphoreSlim _compute = new(1, 1);

    // Guards the slots and what is live. Never held over an await.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ModelSlot> _slots = [];
    private TaskCompletionSource _freed = NewSignal();
    private long _rowsServed;
    private DateTimeOffset? _lastServed;

    /// <summary>A cache over a registry; nothing is loaded before it is asked for.</summary>
    /// <param name="registry">Where the versions are.</param>
    /// <param name="dtypes">Where the dtype of each version is kept.</param>
    /// <param name="options">Times and limits.</param>
    /// <param name="load">Makes a classifier of a checkpoint folder.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where loads and swaps are logged.</param>
    public ModelCache(
        ModelRegistry registry, ModelDtypes dtypes, ModelCacheOptions options, LoadClassifier load, TimeProvider time,
            ILogger<ModelCache> logger)
    {
        (_registry, _options, _time, _logger) = (registry, options, time, logger);
        _loader = new ModelLoader(registry, dtypes, options, load, _compute, time, logger);
    }

    /// <summary>Leases a version, or the live one when <paramref name="version"/> is null.</summary>
    /// <exception cref="ModelUnavailableException">No such model is published, or no host can load it.</exception>
    /// <exception cref="HostUnableException">This host cannot get or load it.</exception>
    public async Task<ModelLease> AcquireAsync(string? version = null, CancellationToken cancellationToken = default)
    {
        if (version is not null)
        {
            _ = LookAtPointer(isNeeded: false);
            return await LeaseAsync(ModelVersion.Checked(version), cancellationToken);
        }
        // Without a live model every caller looks: the first promotion should not have to wait for the interval.
        if (LiveVersion is null) await LookAtPointer(isNeeded: true).WaitAsync(cancellationToken);
        else _ = LookAtPointer(isNeeded: false);
        if (TryHoldLive() is { } slot) return await LeaseOfAsync(slot, cancellationToken);
        throw new ModelUnavailableException(Status.LastError ??
            "No model is live: publish one and promote it (sbert models publish, sbert models promote).");
    }

    /// <summary>What this host has in memory.</summary>
    public ModelCacheStatus Status
    {
        get
        {
            lock (_lock)
            {
                var live = _live is { Model.IsCompletedSuccessfully: true } ? _live.Model.Result : null;
                string[] loaded = [.. _slots.Values
                    .Where(slot => slot.Model.IsCompletedSuccessfully).Select(slot => slot.Version).Order(StringComparer.Ordinal)];
                return new(live?.Version, live?.Digest, live?.LoadedAt, _rowsServed, _lastServed, _lastError, loaded);
            }
        }
    }

    /// <summary>Frees every model. No lease may be in use.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var slot in _slots.Values.ToArray()) Free(slot);
        }
        _compute.Dispose();
    }

    internal async Task<IReadOnlyList<Classification>> ComputeAsync(
        CachedModel model, IReadOnlyList<string> texts, bool counts, CancellationToken cancellationToken)
    {
        if (texts.Count == 0) return [];
        // Before the turn, not in it: so that one batch is read and tokenized while another computes.
        var tokens = await Task.Run(() => model.Classifier.Tokenize(texts), cancellationToken);
        await _compute.WaitAsync(cancellationToken);
        try
        {
            var answers = await Task.Run(() => model.Classifier.Classify(tokens, cancellationToken), cancellationToken);
            if (!counts) return answers; // what runs in shadow serves nobody
            lock (_lock) (_rowsServed, _lastServed) = (_rowsServed + texts.Count, _time.GetUtcNow());
            return answers;
        }
        finally
        {
            _compute.Release();
        }
    }

    internal void Release(ModelSlot slot)
    {
        int idle;
        lock (_lock)
        {
            if (--slot.RefCount > 0) return;
            idle = ++slot.IdleCount;
            if (_options.Linger <= TimeSpan.Zero) Free(slot);
            // Whoever waits for room may take an idle slot at once.
            Signal();
        }
        if (_options.Linger > TimeSpan.Zero) _ = FreeLaterAsync(slot, idle);
    }

    private async Task<ModelLease> LeaseAsync(string version, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (slot, room) = HoldOrStart(version, null);
            if (slot is not null) return await LeaseOfAsync(slot, cancellationToken);
            await room!.WaitAsync(cancellationToken);
        }
    }

    // The slot is held already; the hold becomes the lease's, or ends here.
    private async Task<ModelLease> LeaseOfAsync(ModelSlot slot, CancellationToken cancellationToken, bool isShadow = false)
    {
        try
        {
            return new ModelLease(this, slot, await slot.Model.WaitAsync(cancellationToken), isShadow);
        }
        catch
        {
            Release(slot);
            throw;
        }
    }

    /// <summary>A held slot of the version, or the signal to wait for when there is no room for it.</summary>
    private (ModelSlot? Slot, Task? Room) HoldOrStart(string version, string? expectedDigest)
    {
        lock (_lock)
        {
            if (_slots.TryGetValue(version, out var known) && !known.Model.IsFaulted)
            {
                known.RefCount++;
                return (known, null);
            }
            if (known is not null) _slots.Remove(version);
            if (_slots.Count >= _options.MaxLoaded && _slots.Values.FirstOrDefault(slot => slot.RefCount == 0) is { } idle) Free(idle);
            if (_slots.Count >= _options.MaxLoaded) return (null, _freed.Task);

            var slot = new ModelSlot(version) { Model = Task.Run(() => LoadAsync(version, expectedDigest)), RefCount = 1 };
            _slots.Add(version, slot);
            return (slot, null);
        }
    }

    private async Task<CachedModel> LoadAsync(string version, string? expectedDigest)
    {
        try
        {
            return await _loader.LoadAsync(version, expectedDigest);
        }
        catch (Exception exception)
        {
            bool isNewError;
            lock (_lock) (isNewError, _lastError) = (_lastError != exception.Message, exception.Message);
            if (isNewError)
            {
                PipelineMetrics.ModelFailed();
                _logger.ModelFailed(exception, version, exception.Message);
            }
            throw;
        }
    }

    private async Task FreeLaterAsync(ModelSlot slot, int idle)
    {
        await Task.Delay(_options.Linger, _time);
        lock (_lock)
        {
            if (slot.RefCount == 0 && slot.IdleCount == idle) Free(slot);
        }
    }

    // Under the lock.
    private void Free(ModelSlot slot)
    {
        if (!_slots.TryGetValue(slot.Version, out var held) || held != slot) return;
        _slots.Remove(slot.Version);
        Signal();
        if (!slot.Model.IsCompletedSuccessfully) return;
        slot.Model.Result.Classifier.Dispose();
        _logger.ModelFreed(slot.Version);
    }

    // Under the lock.
    private void Signal()
    {
        var freed = _freed;
        _freed = NewSignal();
        freed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
