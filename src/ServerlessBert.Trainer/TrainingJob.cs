using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Trainer;

/// <summary>
/// The job: takes one request, holds it and the right to train, counts the attempt, and settles the request by how the
/// attempt ends.
/// </summary>
internal sealed class TrainingJob(
    PipelineStorage storage, TrainingStateStore store, TrainingAttempt attempt, TrainerOptions options, ILogger<TrainingJob> logger)
{
    /// <summary>Takes one request, if one waits, and runs it to its end.</summary>
    /// <param name="stop">Stops after the present step, with a checkpoint in storage, and puts the request back.</param>
    /// <returns>One of <see cref="TrainerExitCode"/>.</returns>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        await using LeasedMessage? held = await LeasedMessage.TakeAsync(storage, options.Visibility, stop);
        if (held is null)
        {
            logger.NoRequest(StorageNames.TrainingRequests, await OthersAsync(stop));
            return TrainerExitCode.Done;
        }
        await using TrainingLock? target = await TrainingLock.TryTakeAsync(storage, held.Id, stop);
        if (target is null)
        {
            await held.ReleaseAsync(options.Pause);
            logger.AnotherTrainingRuns(held.Id, options.Pause.TotalSeconds, await OthersAsync(stop));
            return TrainerExitCode.Busy;
        }
        await store.SweepAsync(stop);
        using TrainingDocument document = await store.OpenAsync(held.Id, stop);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost, target.Lost, document.Lost);
        var settlement = new MessageSettlement(held, document, store, options, logger);
        if (await settlement.IsSettledAsync()) return document.Run.Stage == TrainingStage.Done
            ? TrainerExitCode.Done : TrainerExitCode.Failed;
        return await AttemptAsync(held, document, settlement, stop, any.Token);
    }

    private async Task<int> AttemptAsync(
        LeasedMessage held, TrainingDocument document, MessageSettlement settlement, CancellationToken stop, CancellationToken any)
    {
        string folder = Directory.CreateTempSubdirectory("serverlessbert-training-").FullName;
        long begin = Stopwatch.GetTimestamp();
        string outcome = "retried";
        try
        {
            await document.BeginAttemptAsync(any);
            TrainingRequest request = TrainingRequest.Parse(held.Body ?? throw new MessageFormatException(
                $"The text of a {StorageNames.TrainingRequests} message is not Base64; "
                + "send requests with sbert train --queue, or encode their JSON."));
            await document.ChangeAsync(run => run with { RequestedBy = request.RequestedBy }, any);
            await attempt.RunAsync(document, request, folder, any);
            await settlement.CompleteAsync();
            outcome = "done";
            return TrainerExitCode.Done;
        }
        catch (Exception exception) when (exception is OperationCanceledException or TrainingLostException && any.IsCancellationRequested)
        {
            bool isOurs = stop.IsCancellationRequested && !held.Lost.IsCancellationRequested;
            outcome = isOurs ? "released" : "lost";
            return isOurs ? await settlement.ReleaseAsync() : settlement.GiveUpLost();
        }
        catch (Exception exception) when (exception is TrainingException or MessageFormatException or InvalidDataException)
        {
            outcome = "poisoned";
            return await settlement.PoisonAsync(exception.Message); // trying again would end the same way
        }
        catch (Exception exception)
        {
            return await settlement.FailAsync(exception); // storage, memory, libtorch: the next attempt may fare better, and the cap counts
        }
        finally
        {
            TrainerMetrics.AttemptEnded(outcome, Stopwatch.GetElapsedTime(begin));
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<string> OthersAsync(CancellationToken cancellationToken)
    {
        TrainingJobState? running = (await store.RecentAsync(5, cancellationToken))
            .FirstOrDefault(run => run.Stage is not (TrainingStage.Waiting or TrainingStage.Done or TrainingStage.Failed));
        return running is null ? ""
            : $"; request {running.Id} is worked on by {running.Host}, at step {running.Step:N0} of {running.TotalSteps:N0}";
    }
}
