using ServerlessBert.Modeling;

namespace ServerlessBert.Pipeline.Models;

/// <summary>The live model in memory: loaded lazily and once, swapped when the pointer moves, freed when the last lease ends.</summary>
public sealed class ModelCache
{
    /// <summary>Leases a version, or the live one when <paramref name="version"/> is null.</summary>
    /// <exception cref="ModelUnavailableException">No such model is published, or it cannot be loaded.</exception>
    public Task<ModelLease> AcquireAsync(string? version = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

/// <summary>A hold on a loaded model: it stays in memory until the lease is disposed.</summary>
public sealed class ModelLease : IDisposable
{
    /// <summary>The model's version.</summary>
    public string Version => throw new NotImplementedException();

    /// <summary>Classifies with the model; calls of several leases take turns.</summary>
    public Task<IReadOnlyList<Classification>> ClassifyAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Ends the hold.</summary>
    public void Dispose() { }
}
