using ServerlessBert.Modeling;

namespace ServerlessBert.Pipeline.Models;

/// <summary>A hold on a loaded model: it stays in memory until the lease is disposed.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly ModelCache _cache;
    private readonly ModelSlot _slot;
    private readonly LoadedModel _model;
    private readonly bool _isShadow;
    private int _ended;

    internal ModelLease(ModelCache cache, ModelSlot slot, LoadedModel model, bool isShadow) => (_cache, _slot, _model, _isShadow) = (cache, slot, model, isShadow);

    /// <summary>The model's version.</summary>
    public string Version => _model.Version;

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
