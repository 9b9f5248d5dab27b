namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// One request's way to a model: the document <c>trainings/&lt;id&gt;.json</c>, which is its state for the next attempt and its
/// progress for whoever looks.
/// </summary>
public sealed record TrainingJobState
{
    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>The id of the request's message, which stays the same however often it is delivered.</summary>
    public required string Id { get; init; }

    /// <summary>How far it is.</summary>
    public TrainingStage Stage { get; init; } = TrainingStage.Waiting;

    /// <summary>Who asked.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>When the first attempt began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The last heartbeat of whoever works on it.</summary>
    public required DateTimeOffset Updated { get; init; }

    /// <summary>When it ended, well or not; null while it has not.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>How often a trainer took it up.</summary>
    public int Attempts { get; init; }

    /// <summary>
    /// How many attempts began since the last progress, which is a checkpoint of a later step, or the trained model:
    /// what the cap looks at. The queue's own count rises without an attempt, and says nothing of progress.
    /// </summary>
    public int AttemptsSinceProgress { get; init; }

    /// <summary>The machine that works on it, or did last.</summary>
    public string? Host { get; init; }

    /// <summary>The process that may write this document: another one that finds its own name gone has lost the training.</summary>
    public string? Worker { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    /// <summary>Optimizer steps in all; 0 until training begins.</summary>
    public int TotalSteps { get; init; }

    /// <summary>The step's loss, in nats.</summary>
    public double? Loss { get; init; }

    /// <summary>The step's learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The last measured accuracy on held-out rows, 0 to 1.</summary>
    public double? Accuracy { get; init; }

    /// <summary>About how long the steps that are left take.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>Seconds that all attempts together spent in training, for the limit on hours.</summary>
    public double SecondsSpent { get; init; }

    /// <summary>The step of the newest checkpoint in storage; 0 without one.</summary>
    public int CheckpointStep { get; init; }

    /// <summary>Why the last attempt ended without a result, where it could still say so.</summary>
    public string? LastError { get; init; }

    /// <summary>The version that it published.</summary>
    public string? Model { get; init; }

    /// <summary>Whether that version went live by it.</summary>
    public bool? Promoted { get; init; }

    /// <summary>How it ended, in a sentence.</summary>
    public string? Outcome { get; init; }

    /// <summary>Whether it will not change any more.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool HasEnded => Stage is TrainingStage.Done or TrainingStage.Failed or TrainingStage.Damaged;

    /// <summary>What stands for a document that cannot be read.</summary>
    internal static TrainingJobState Damaged(string id, DateTimeOffset modified, string damage) =>
        new() { Id = id, Stage = TrainingStage.Damaged, Started = modified, Updated = modified, Ended = modified, Outcome = damage };

    /// <summary>A checkpoint of a step is in storage: with a later step than any before, that is progress.</summary>
    public TrainingJobState WithCheckpoint(int step) => step > CheckpointStep
        ? this with { CheckpointStep = step, AttemptsSinceProgress = 0, LastError = null }
        : this;
}

/// <summary>How far a training is.</summary>
public enum TrainingStage
{
    /// <summary>Nobody works on it: it was stopped or its trainer failed, and the queue delivers its request again.</summary>
    Waiting,

    /// <summary>Data and base model are fetched and checked.</summary>
    Preparing,

    /// <summary>The optimizer steps.</summary>
    Training,

    /// <summary>Candidate and live model are compared.</summary>
    Deciding,

    /// <summary>The version is uploaded, and the pointer moved where the gate passed.</summary>
    Publishing,

    /// <summary>Published, promoted or not.</summary>
    Done,

    /// <summary>Dead-lettered: the request is in the poison queue with the reason.</summary>
    Failed,

    /// <summary>Its document cannot be read; its request is dead-lettered by the trainer that takes it next.</summary>
    Damaged,
}
