namespace ServerlessBert.Modeling;

/// <summary>A checkpoint's state.json.</summary>
internal sealed record SavedTraining
{
    /// <summary>The training that it belongs to.</summary>
    public required TrainingIdentity Identity { get; init; }

    /// <summary>Every setting, for people: <see cref="Identity"/> decides.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>The number type of the encoder's products; where it is chosen by a measurement, another run might choose differently.</summary>
    public required InferenceDtype Compute { get; init; }

    /// <summary>libtorch's threads, on whose number the order of some sums depends.</summary>
    public required int Threads { get; init; }

    /// <summary>The optimizer's updates.</summary>
    public required int OptimizerSteps { get; init; }

    /// <summary>How far it has come.</summary>
    public required TrainingState State { get; init; }
}
