using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>
/// Finds or makes a training's plan and reads its rows. Where a file was changed or deleted since the plan was made, its
/// rows cannot be had again: the training restarts with what is there now, which is logged.
/// </summary>
internal sealed class TrainingPreparation(
    PipelineStorage storage, TrainingStateStore store, TrainingPlanner planner, TrainerOptions options, ReviewOptions reviews,
        ILogger<TrainingPreparation> logger)
{
    /// <summary>The plan and its rows.</summary>
    /// <exception cref="TrainingException">The request asks for what cannot be.</exception>
    public async Task<PreparedTraining> PrepareAsync(
        TrainingDocument document, TrainingRequest request, CancellationToken cancellationToken)
    {
        string id = document.Run.Id;
        var reading = await store.ReadPlanAsync(id, cancellationToken);
        TrainingPlan? plan = reading.Value;
        if (reading.Damage is { } damage) await RestartAsync(document, damage, cancellationToken);
        while (true)
        {
            if (plan is null)
            {
                plan = await planner.MakeAsync(request, cancellationToken);
                await store.SavePlanAsync(id, plan, cancellationToken);
            }
            try
            {
                return await ReadAsync(plan, cancellationToken);
            }
            catch (TrainingDataChangedException exception)
            {
                await RestartAsync(document, exception.Message, cancellationToken);
                plan = null;
            }
        }
    }

    private async Task RestartAsync(TrainingDocument document, string reason, CancellationToken cancellationToken)
    {
        logger.TrainingRestarts(reason);
        await store.ClearAsync(document.Run.Id, cancellationToken);
        await document.ChangeAsync(run => run with { Step = 0, CheckpointStep = 0 }, cancellationToken);
    }

    /// <summary>The rows of a plan.</summary>
    /// <exception cref="TrainingDataChangedException">A file was changed or deleted since.</exception>
    public async Task<PreparedTraining> ReadAsync(TrainingPlan plan, CancellationToken cancellationToken)
    {
        long maxBytes = (long)(options.DataMemoryShare * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return new PreparedTraining(plan, await TrainingRows.ReadAsync(storage, plan, reviews, maxBytes, logger, cancellationToken),
            options.MinEvaluationRows);
    }
}

/// <summary>Decides what a request means, as things stand now: files, start, settings.</summary>
/// <param name="storage">Where the files are.</param>
/// <param name="registry">The models.</param>
/// <param name="options">How the job behaves.</param>
/// <param name="device">Where it computes, which decides the number type.</param>
internal sealed class TrainingPlanner(PipelineStorage storage, ModelRegistry registry, TrainerOptions options, torch.Device device)
{
    /// <summary>Makes the plan.</summary>
    /// <exception cref="TrainingException">The request asks for what is not there, or for a setting that makes no sense.</exception>
    public async Task<TrainingPlan> MakeAsync(TrainingRequest request, CancellationToken cancellationToken)
    {
        string? live = (await registry.CurrentAsync(cancellationToken))?.Version;
        string from = request.Base ?? (live is null ? "preset:mini" : "current");
        string? preset = from.StartsWith("preset:", StringComparison.Ordinal) ? from["preset:".Length..] : null;
        string? parent = preset is not null ? null
            : from != "current" ? from["version:".Length..]
            : live ?? throw new TrainingException(
                "The request starts from the live model, but none is live; start from a preset (preset:mini), or publish and "
                + "promote a model first.");

        TrainingFiles files = await TrainingFiles.ListAsync(storage, request.Data, cancellationToken);
        if (files.Data.Count == 0)
            throw new TrainingException(
                "There is no labelled file in "
                + $"{StorageNames.TrainingData}{(request.Data is { } names ? $" under {string.Join(", ", names)}" : "")}; upload a "
                + "file with stars 1-5 or label 0-4 to that container.");
        TrainingOptions settings = request.Options.Over(preset is null ? new TrainingOptions() : TrainingOptions.FromScratch);
        settings = settings with { MaxSteps = Least(settings.MaxSteps, options.MaxSteps) };
        settings.Validate();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new TrainingPlan
        {
            Created = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero),
            Preset = preset,
            VocabularySize = request.VocabularySize,
            Parent = parent,
            // Chosen by a measurement, which must not come out otherwise at the next attempt.
            Options = settings.ChosenFor(device),
            EvalFraction = request.EvalFraction ?? TrainingRequest.DefaultEvalFraction,
            Data = files.Data,
            Evaluation = files.Evaluation,
        };
    }

    private static int? Least(int? one, int? other) => one is { } first && other is { } second ? Math.Min(first, second) : one ?? other;
}

/// <summary>A plan and its rows: who learns from what, and which rows decide.</summary>
internal sealed record PreparedTraining
{
    /// <summary>Cuts the data as the plan says.</summary>
    /// <exception cref="TrainingException">Too few rows are left to decide on.</exception>
    public PreparedTraining(TrainingPlan plan, TrainingRows data, int minEvaluationRows)
    {
        (Plan, Data) = (plan, data);
        Split = StratifiedSplit.ByTextHash(data.Rows, plan.EvalFraction, plan.Options.Seed);
        if (DecidingRows.Count < minEvaluationRows)
            throw new TrainingException(
                $"Only {DecidingRows.Count} of {data.Rows.Count} labelled reviews are held out to decide on, and "
                + $"{minEvaluationRows} are needed; add labelled reviews, raise evalFraction, or put an evaluation set under "
                + $"{StorageNames.TrainingData}/{TrainingFiles.EvaluationFolder}.");
    }

    /// <summary>The plan.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Its rows.</summary>
    public TrainingRows Data { get; }

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
        if (Plan.Preset is { } preset) return Plan.VocabularySize is { } size
            ? new TrainingStart.FromScratch(preset, size) : new TrainingStart.FromScratch(preset);
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
