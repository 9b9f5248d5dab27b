using Azure;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Trainer;

/// <summary>
/// What becomes of a request. The document is marked first, then the message is deleted, then what the training kept: a
/// job that dies in between leaves an ended training, whose message is deleted at its next delivery. Whatever holds a
/// document, every request ends: done, failed, or in the poison queue with a reason.
/// </summary>
internal sealed class MessageSettlement(
    LeasedMessage held, TrainingDocument document, TrainingStateStore store, TrainerOptions options, ILogger logger)
{
    /// <summary>Settles a request that needs no attempt: it has ended, its document is damaged, or it was tried too often.</summary>
    public async Task<bool> IsSettledAsync()
    {
        if (document.Damage is { } damage)
        {
            await PoisonAsync($"What earlier attempts left is not known: {damage} Replay the request to train from the start.");
            return true;
        }
        if (document.Run.HasEnded)
        {
            logger.EndedBefore(held.Id, document.Run.Outcome);
            await held.CompleteAsync();
            await ClearAsync();
            return true;
        }
        if (document.Run.AttemptsSinceProgress < options.MaxAttempts) return false;
        await PoisonAsync(WhyDeadLettered());
        return true;
    }

    /// <summary>The model is published.</summary>
    public async Task CompleteAsync()
    {
        await EndAsync(TrainingStage.Done, null);
        await held.CompleteAsync();
        await ClearAsync();
    }

    /// <summary>Dead-letters the request: it goes to the poison queue.</summary>
    public async Task<int> PoisonAsync(string reason)
    {
        // Before the mark: a job that dies here poisons twice, which is seen; the other way round it would be lost.
        await held.PoisonAsync(reason);
        logger.RequestPoisoned(reason, held.Id, StorageNames.TrainingRequests + StorageNames.PoisonSuffix);
        try
        {
            await EndAsync(TrainingStage.Failed, reason);
            await ClearAsync();
        }
        catch (UnwritableBlobException exception)
        {
            logger.StateNotCleared(held.Id, exception.Message);
        }
        return TrainerExitCode.Failed;
    }

    /// <summary>Stopped from outside: the request goes back, and this attempt does not count.</summary>
    public async Task<int> ReleaseAsync()
    {
        await document.ChangeAsync(run => run with
        {
            Stage = TrainingStage.Waiting,
            SecondsLeft = null,
            AttemptsSinceProgress = Math.Max(0, run.AttemptsSinceProgress - 1),
        });
        await held.ReleaseAsync();
        logger.RequestReleased(held.Id, document.Run.CheckpointStep > 0 ? $", to resume after step {document.Run.CheckpointStep:N0}" : "");
        return TrainerExitCode.Interrupted;
    }

    /// <summary>The request, the lock or the document is another's: nothing here may be touched any more.</summary>
    public int GiveUpLost()
    {
        logger.RequestLost(held.Id);
        return TrainerExitCode.Interrupted;
    }

    /// <summary>An error that another attempt may not meet: the request goes back, until the cap.</summary>
    public async Task<int> FailAsync(Exception exception)
    {
        string reason = FailureText.Of(exception);
        try
        {
            await document.ChangeAsync(run => run with { Stage = TrainingStage.Waiting, SecondsLeft = null, LastError = reason });
            if (document.Run.AttemptsSinceProgress >= options.MaxAttempts) return await PoisonAsync(WhyDeadLettered());
            await held.ReleaseAsync(options.Pause);
            logger.AttemptFailed(exception, reason, held.Id, document.Run.AttemptsSinceProgress, options.MaxAttempts);
        }
        catch (UnwritableBlobException unwritable)
        {
            return await PoisonAsync(unwritable.Message); // where attempts cannot be counted, none may follow
        }
        catch (Exception unreachable)
        {
            // The message comes back when its invisibility ends.
            logger.SettlementFailed(reason, FailureText.Of(unreachable), held.Id);
        }
        return TrainerExitCode.TryAgain;
    }

    private string WhyDeadLettered()
    {
        TrainingJobState run = document.Run;
        string place = run.CheckpointStep > 0 ? $"after the checkpoint of step {run.CheckpointStep:N0}" : "before the first checkpoint";
        string cause = run.LastError is { } error
            ? $"the last one that could say why ended with: {error}"
            :
                "its process was killed each time (by the system for lack of memory, a crash of the native library, or from "
                + "outside), so the executions' logs are all there is";
        return $"The training was taken up {run.AttemptsSinceProgress} times {place} without getting further, the last time while "
            + $"{run.Stage.ToString().ToLowerInvariant()}, step {run.Step:N0} of {run.TotalSteps:N0}; {cause}";
    }

    private Task EndAsync(TrainingStage stage, string? reason) => document.ChangeAsync(run => run with
    {
        Stage = stage,
        Ended = DateTimeOffset.UtcNow,
        SecondsLeft = null,
        Outcome = reason ?? run.Outcome,
    });

    // The request is settled; what cannot be deleted now is left to the sweep of a later trainer.
    private async Task ClearAsync()
    {
        try
        {
            await store.ClearAsync(held.Id);
        }
        catch (RequestFailedException exception) when (exception.IsUnwritable())
        {
            logger.StateNotCleared(held.Id, FailureText.Of(exception));
        }
    }
}
