using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Trainer;

/// <summary>A plan and its rows: who learns from what, and which rows decide.</summary>
internal sealed record PreparedTraining
{
    /// <summary>Cuts the data as the plan says.</summary>
    /// <exception cref="TrainingException">Too few rows are left to decide on.</exception>
    public PreparedTraining(TrainingPlan plan, TrainingData data, int minEvaluationRows)
    {
        (Plan, Data) = (plan, data);
        Split = StratifiedSplit.ByTextHash(data.Rows, plan.EvalFraction, plan.Options.Seed);
        if (DecidingRows.Count < minEvaluationRows)
            throw new TrainingException($"Only {DecidingRows.Count} of {data.Rows.Count} labelled reviews are held out to decide on, and {minEvaluationRows} are needed; add labelled reviews, raise evalFraction, or put an evaluation set under {StorageNames.TrainingData}/{TrainingFiles.EvaluationFolder}.");
    }

    /// <summary>The plan.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Its rows.</summary>
    public TrainingData Data { get; }

    /// <summary>Rows to learn from, and rows that choose the best weights on the way.</summary>
    public StratifiedSplit Split { get; }

    /// <summary>Whether there is a fixed evaluation set.</summary>
    public bool HasFixedSet => Data.Evaluation.Count > 0;

    /// <summary>The rows that candidate and live model are compared on.</summary>
    public IReadOnlyList<LabelledReview> DecidingRows => HasFixedSet ? Data.Evaluation : Split.Evaluation;

    /// <summary>What the training starts from, the parent downloaded into <paramref name="folder"/>.</summary>
    /// <exception cref="TrainingException">The parent is not there, or damaged.</exception>
    public async Task<TrainingStart> StartAsync(ModelRegistry registry, string folder, CancellationToken cancellationToken)
    {
        if (Plan.Preset is { } preset) return Plan.VocabularySize is { } size ? new TrainingStart.FromScratch(preset, size) : new TrainingStart.FromScratch(preset);
        try
        {
            await registry.DownloadAsync(Plan.Parent!, folder, cancellationToken);
            return new TrainingStart.FromFolder(folder);
        }
        catch (ModelUnavailableException exception)
        {
            throw new TrainingException(exception.Message);
        }
    }
}
