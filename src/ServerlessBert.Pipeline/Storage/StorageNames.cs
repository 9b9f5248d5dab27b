namespace ServerlessBert.Pipeline.Storage;

/// <summary>The containers and queues, named once.</summary>
public static class StorageNames
{
    /// <summary>Where users drop review files.</summary>
    public const string Reviews = "reviews";

    /// <summary>Where predictions and summaries appear.</summary>
    public const string Predictions = "predictions";

    /// <summary>State and staged output of runs.</summary>
    public const string Runs = "runs";

    /// <summary>Model versions and the pointer to the live one.</summary>
    public const string Models = "models";

    /// <summary>Labelled files to train on.</summary>
    public const string TrainingData = "training-data";

    /// <summary>State, plan and checkpoints of trainings.</summary>
    public const string Trainings = "trainings";

    /// <summary>Queue: a file was dropped.</summary>
    public const string ReviewFiles = "review-files";

    /// <summary>Queue: a batch to classify.</summary>
    public const string ReviewBatches = "review-batches";

    /// <summary>Queue: a training to run.</summary>
    public const string TrainingRequests = "training-requests";

    /// <summary>What the Functions host appends to a queue's name for the messages it gave up on.</summary>
    public const string PoisonSuffix = "-poison";

    /// <summary>Every container.</summary>
    public static IReadOnlyList<string> Containers { get; } = [Reviews, Predictions, Runs, Models, TrainingData, Trainings];

    /// <summary>Every queue, poison queues included.</summary>
    public static IReadOnlyList<string> Queues { get; } =
        [.. new[] { ReviewFiles, ReviewBatches, TrainingRequests }.SelectMany(queue => new[] { queue, queue + PoisonSuffix })];
}
