namespace ServerlessBert.Pipeline.Models;

/// <summary>A model in memory.</summary>
internal sealed record LoadedModel(string Version, string Digest, IReviewClassifier Classifier, DateTimeOffset LoadedAt);

/// <summary>A place in the cache: a model that is loaded or on its way, and how many hold it.</summary>
internal sealed class ModelSlot(string version)
{
    public string Version { get; } = version;

    /// <summary>The model, once; faulted when it cannot be loaded.</summary>
    public required Task<LoadedModel> Model { get; init; }

    /// <summary>Leases and waiting callers, and one for being the live model. Guarded by the cache's lock.</summary>
    public int Holds { get; set; }

    /// <summary>Counts how often it became idle, so that a late timer does not free what was used since.</summary>
    public int IdleCount { get; set; }
}
