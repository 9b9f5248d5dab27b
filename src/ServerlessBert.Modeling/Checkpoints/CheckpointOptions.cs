namespace ServerlessBert.Modeling;

/// <summary>How a checkpoint is loaded.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Seeds the parts that the files do not have: the classifier of a bare encoder.</summary>
    public long Seed { get; init; }

    /// <summary>Refuses a folder without a trained classifier and pooler: right for predicting, wrong for fine-tuning, so off by default.</summary>
    public bool RequireClassifier { get; init; }
}
