using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// What a training does, decided once, at its first attempt, and kept as <c>trainings/&lt;id&gt;/plan.json</c>: every
/// later attempt reads the same rows, starts from the same weights, and publishes under the same name.
/// </summary>
public sealed record TrainingPlan
{
    /// <summary>The document's schema, 1.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>When it was made; the version that comes of it is named by this.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The preset for fresh weights; null where a version is the start.</summary>
    public string? Preset { get; init; }

    /// <summary>With a preset, most word pieces of the vocabulary.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>
    /// The version that training starts from: what was live then, however often the pointer moves meanwhile. Null with a
    /// preset.
    /// </summary>
    public string? Parent { get; init; }

    /// <summary>Every setting, with the number type that was chosen for this device.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>Share of the rows held out.</summary>
    public required double EvalFraction { get; init; }

    /// <summary>The labelled files to learn from, oldest first: of rows with one id the newest counts.</summary>
    public required IReadOnlyList<TrainingFile> Data { get; init; }

    /// <summary>The files of the fixed evaluation set; empty where there is none.</summary>
    public IReadOnlyList<TrainingFile> Evaluation { get; init; } = [];
}

/// <summary>A labelled file as a plan names it.</summary>
/// <param name="Name">Its name in the training-data container.</param>
/// <param name="ETag">Its ETag, without quotes.</param>
/// <param name="Modified">When it was written.</param>
public sealed record TrainingFile(string Name, string ETag, DateTimeOffset Modified);
