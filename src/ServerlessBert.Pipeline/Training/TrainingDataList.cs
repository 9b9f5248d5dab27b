namespace ServerlessBert.Pipeline.Training;

/// <summary>The part of a version's training.json that says which files it was trained on.</summary>
public sealed record TrainingDataList
{
    /// <summary>The files; null or empty where the model was not trained here.</summary>
    public IReadOnlyList<TrainingDataFile>? Data { get; init; }
}

/// <summary>A labelled file as a training saw it.</summary>
/// <param name="Name">Its name in the training-data container.</param>
/// <param name="ETag">Its ETag then; null where the file did not come from storage.</param>
/// <param name="Rows">Labelled rows it gave; 0 where it could not be read.</param>
public sealed record TrainingDataFile(string Name, string? ETag, long Rows = 0);
