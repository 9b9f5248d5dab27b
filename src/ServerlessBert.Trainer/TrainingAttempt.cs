using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>
/// One attempt at a request: resumes where the last attempt stopped, and leaves in storage what the next one needs. Each
/// of its stages may be repeated: with the same plan it gives the same weights, and a version is published once.
/// </summary>
internal sealed class TrainingAttempt(
    ModelRegistry registry,
    ModelPruning pruning,
    TrainingStateStore store,
    TrainerOptions options,
    TrainingPreparation preparation,
    ResumableTraining training,
    ModelComparison comparison,
    Promotion promotion,
    torch.Device device,
    ILogger<TrainingAttempt> logger)
{
    /// <summary>Runs the request to its end.</summary>
    /// <param name="document">The training, this attempt counted.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="folder">An empty local folder.</param>
    /// <param name="cancellationToken">Stops after the present step, with a checkpoint in storage.</param>
    public async Task RunAsync(TrainingDocument document, TrainingRequest request, string folder, CancellationToken cancellationToken)
    {
        string candidate = Path.Combine(folder, "candidate");
        PreparedTraining? prepared = null;
        TrainingPlan? plan = (await store.ReadPlanAsync(document.Run.Id, cancellationToken)).Value;
        if (plan is not null && await store.TryLoadCandidateAsync(document.Run.Id, candidate, cancellationToken))
        {
            logger.TrainedBefore();
        }
        else
        {
            prepared = await preparation.PrepareAsync(document, request, cancellationToken);
            plan = prepared.Plan;
            await TrainAsync(prepared, document, RulesOf(request, prepared), folder, candidate, cancellationToken);
        }

        string version = await PublishAsync(document, plan, candidate, cancellationToken);
        (bool isPromoted, string reason) = await promotion.PromoteAsync(
            version,
            PromotionGate.Load(candidate),
            () => CompareAgainAsync(prepared, plan, request, folder, candidate, cancellationToken),
            cancellationToken);
        TrainerMetrics.Decided(isPromoted);
        if (isPromoted) await PruneAsync(cancellationToken);
        string outcome = $"published {version}, {(isPromoted ? "promoted" : "not promoted")}: {reason}";
        await document.ChangeAsync(run => run with { Promoted = isPromoted, Outcome = outcome }, cancellationToken);
    }

    private async Task TrainAsync(
        PreparedTraining prepared, TrainingDocument document, GateRules rules, string folder, string candidate,
            CancellationToken cancellationToken)
    {
        string evaluationSet = prepared.HasFixedSet ? $", {prepared.DecidingRows.Count:N0} in the evaluation set" : "";
        logger.RowsSplit(prepared.Split.Train.Count, prepared.Split.Evaluation.Count, evaluationSet);
        await document.ChangeAsync(run => run with { Stage = TrainingStage.Training }, cancellationToken);
        TrainingStart start = await prepared.StartAsync(registry, Path.Combine(folder, "base"), cancellationToken);
        var fineTuning = new TrainingRecipe(start, prepared.Plan.Options with { MaxHours = options.MaxHours }, device,
            prepared.Data.Sources, prepared.Plan.Parent);
        await training.RunAsync(document, fineTuning, prepared.Split, candidate, Path.Combine(folder, "checkpoints"), cancellationToken);

        await document.ChangeAsync(run => run with { Stage = TrainingStage.Deciding, SecondsLeft = null }, cancellationToken);
        if (options.Weights == PublishedWeights.BFloat16) WeightConversion.Store(candidate, torch.bfloat16);
        PromotionGate gate = await comparison.DecideAsync(candidate, prepared.DecidingRows, rules, folder, cancellationToken);
        gate.Save(candidate);
        // From here on the version's bytes are fixed: a publishing that is interrupted is completed, not repeated with others.
        await store.SaveCandidateAsync(document.Run.Id, candidate, cancellationToken);
        await document.ChangeAsync(run => run with { AttemptsSinceProgress = 0 }, cancellationToken);
    }

    private async Task<string> PublishAsync(
        TrainingDocument document, TrainingPlan plan, string candidate, CancellationToken cancellationToken)
    {
        await document.ChangeAsync(run => run with { Stage = TrainingStage.Publishing }, cancellationToken);
        ModelManifest published = await registry.PublishAsync(candidate, plan.Created, cancellationToken);
        logger.Published(published.Version, PromotionGate.Load(candidate).Reason);
        await document.ChangeAsync(run => run with { Model = published.Version, AttemptsSinceProgress = 0 }, cancellationToken);
        return published.Version;
    }

    private async Task PruneAsync(CancellationToken cancellationToken)
    {
        if (options.KeepVersions is not int keep) return;
        try
        {
            var decisions = await pruning.PruneAsync(new ModelPruningOptions { Keep = keep }, cancellationToken: cancellationToken);
            if (decisions.Count(decision => decision.IsPruned) is > 0 and var pruned) logger.Pruned(pruned);
        }
        catch (Exception exception) when (exception is Azure.RequestFailedException or ModelUnavailableException)
        {
            logger.NotPruned(FailureText.Of(exception)); // the model is live; cleaning up can wait for the next one
        }
    }

    private async Task<PromotionGate?> CompareAgainAsync(
        PreparedTraining? prepared, TrainingPlan plan, TrainingRequest request, string folder, string candidate,
            CancellationToken cancellationToken)
    {
        try
        {
            prepared ??= await preparation.ReadAsync(plan, cancellationToken);
            return await comparison.DecideAsync(candidate, prepared.DecidingRows, RulesOf(request, prepared), folder, cancellationToken);
        }
        catch (TrainingDataChangedException exception)
        {
            logger.RowsGone(exception.Message);
            return null;
        }
    }

    private GateRules RulesOf(TrainingRequest request, PreparedTraining prepared) =>
        new(request.Tolerance ?? options.Tolerance, request.Significance ?? options.Significance, prepared.HasFixedSet);
}
