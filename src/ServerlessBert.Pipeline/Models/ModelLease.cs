using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Pipeline.Models;

/// <summary>A hold on a loaded model: it stays in memory until the lease is disposed.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly ModelCache _cache;
    private readonly ModelSlot _slot;
    private readonly CachedModel _model;
    private readonly bool _isShadow;
    private int _ended;

    internal ModelLease(ModelCache cache, ModelSlot slot, CachedModel model, bool isShadow) =>
        (_cache, _slot, _model, _isShadow) = (cache, slot, model, isShadow);

    /// <summary>The model's version.</summary>
    public string Version => _model.Version;

    /// <summary>The dtype that the model computes in on this host.</summary>
    public string Dtype => _model.Classifier.Dtype;

    /// <summary>Classifies with the model; calls of several leases take turns.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public Task<IReadOnlyList<Classification>> ClassifyAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended) != 0, this);
        return _cache.ComputeAsync(_model, texts, counts: !_isShadow, cancellationToken);
    }

    /// <summary>Ends the hold; ending it twice is once.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0) _cache.Release(_slot);
    }
}

/// <summary>A model in memory.</summary>
internal sealed record CachedModel(string Version, string Digest, IReviewClassifier Classifier, DateTimeOffset LoadedAt);

/// <summary>A place in the cache: a model that is loaded or on its way, and how many hold it.</summary>
internal sealed class ModelSlot(string version)
{
    public string Version { get; } = version;

    /// <summary>The model, once; faulted when it cannot be loaded.</summary>
    public required Task<CachedModel> Model { get; init; }

    /// <summary>Leases and waiting callers, and one for being the live model. Guarded by the cache's lock.</summary>
    public int RefCount { get; set; }

    /// <summary>Counts how often it became idle, so that a late timer does not free what was used since.</summary>
    public int IdleCount { get; set; }
}
