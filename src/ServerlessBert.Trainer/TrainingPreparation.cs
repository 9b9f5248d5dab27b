using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>
/// Finds or makes a training's plan and reads its rows. Where a file was changed or deleted since the plan was made, its
/// rows cannot be had again: the training begins anew with what is there now, and says so.
/// </summary>
internal sealed class TrainingPreparation(
    PipelineStorage storage, ModelRegistry registry, TrainingStateStore store, TrainerOptions options, ReviewOptions reviews, torch.Device device, Action<string> say)
{
    /// <summary>The plan and its rows.</summary>
    /// <exception cref="TrainingException">The request asks for what cannot be.</exception>
    public async Task<PreparedTraining> PrepareAsync(TrainingDocument document, TrainingRequest request, CancellationToken cancellationToken)
    {
        string id = document.Run.Id;
        TrainingPlan? plan = await store.ReadPlanAsync(id, cancellationToken);
        while (true)
        {
            if (plan is null)
            {
                plan = await new TrainingPlanning(storage, registry, options, device).MakeAsync(request, cancellationToken);
                await store.SavePlanAsync(id, plan, cancellationToken);
            }
            try
            {
                return await ReadAsync(plan, cancellationToken);
            }
            catch (TrainingDataChangedException exception)
            {
                say($"{exception.Message} It begins anew, with the files as they are now.");
                await store.ClearAsync(id, cancellationToken);
                await document.ChangeAsync(run => run with { Step = 0, CheckpointStep = 0 }, cancellationToken);
                plan = null;
            }
        }
    }

    /// <summary>The rows of a plan.</summary>
    /// <exception cref="TrainingDataChangedException">A file was changed or deleted since.</exception>
    public async Task<PreparedTraining> ReadAsync(TrainingPlan plan, CancellationToken cancellationToken)
    {
        long maxBytes = (long)(options.DataMemoryShare * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return new PreparedTraining(plan, await TrainingData.ReadAsync(storage, plan, reviews, maxBytes, say, cancellationToken), options.MinEvaluationRows);
    }
}
