using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>
/// The job: takes one request, holds it and the right to train, counts the attempt, and settles the request by how the
/// attempt ends.
/// </summary>
/// <param name="storage">Where requests, data and models are.</param>
/// <param name="registry">The models.</param>
/// <param name="options">How the job behaves.</param>
/// <param name="show">Runs a training while its progress is shown.</param>
/// <param name="say">Told what a reader of the log should know.</param>
/// <param name="reviews">How files are read; null takes the defaults.</param>
public sealed class TrainingJob(
    PipelineStorage storage, ModelRegistry registry, TrainerOptions options, ShownTraining show, Action<string> say, ReviewOptions? reviews = null)
{
    private readonly TrainingStateStore store = new(storage, TimeProvider.System);

    /// <summary>Takes one request, if one waits, and sees it through.</summary>
    /// <param name="stop">Stops after the present step, with a checkpoint in storage, and puts the request back.</param>
    /// <returns>One of <see cref="TrainerExitCode"/>.</returns>
    /// <exception cref="TrainingException">The device of the settings is not there.</exception>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        torch.Device device = ComputeDevice.Named(options.Device);
        await using LeasedMessage? held = await LeasedMessage.TakeAsync(storage, options.Visibility, stop);
        if (held is null)
        {
            say($"no request waits in {StorageNames.TrainingRequests}{await OthersAsync(stop)}");
            return TrainerExitCode.Done;
        }
        await using TrainingLock? target = await TrainingLock.TryTakeAsync(storage, held.Id, stop);
        if (target is null)
        {
            await held.ReleaseAsync(options.Pause);
            say($"another training runs, so this request waits its turn; it is back in the queue for {options.Pause.TotalSeconds:0} s{await OthersAsync(stop)}");
            return TrainerExitCode.Busy;
        }
        await store.SweepAsync(stop);
        using TrainingDocument document = await store.OpenAsync(held.Id, stop);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost, target.Lost, document.Lost);
        var settling = new MessageSettlement(held, document, store, options, say);
        if (await settling.IsSettledAsync()) return document.Run.Stage == TrainingStage.Done ? TrainerExitCode.Done : TrainerExitCode.Failed;
        return await SeeThroughAsync(held, document, settling, device, stop, any.Token);
    }

    private async Task<int> SeeThroughAsync(LeasedMessage held, TrainingDocument document, MessageSettlement settling, torch.Device device, CancellationToken stop, CancellationToken any)
    {
        string folder = Directory.CreateTempSubdirectory("serverlessbert-training-").FullName;
        try
        {
            await document.BeginAttemptAsync(any);
            TrainingRequest request = TrainingRequest.Parse(held.Body);
            await document.ChangeAsync(run => run with { RequestedBy = request.RequestedBy }, any);
            var preparation = new TrainingPreparation(storage, registry, store, options, reviews ?? new ReviewOptions(), device, say);
            await new TrainingAttempt(registry, new ModelPruning(storage, registry, TimeProvider.System), store, options, preparation, device, show, say).RunAsync(document, request, folder, any);
            await settling.CompleteAsync();
            return TrainerExitCode.Done;
        }
        catch (Exception exception) when (exception is OperationCanceledException or TrainingLostException && any.IsCancellationRequested)
        {
            return stop.IsCancellationRequested && !held.Lost.IsCancellationRequested ? await settling.ReleaseAsync() : settling.GiveUpLost();
        }
        catch (Exception exception) when (exception is TrainingException or MessageFormatException or InvalidDataException)
        {
            return await settling.PoisonAsync(exception.Message); // trying again would end the same way
        }
        catch (Exception exception)
        {
            return await settling.FailAsync(exception); // storage, memory, libtorch: the next attempt may fare better, and the cap counts
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<string> OthersAsync(CancellationToken cancellationToken)
    {
        TrainingJobState? running = (await store.RecentAsync(5, cancellationToken)).FirstOrDefault(run => run.Stage is not (TrainingStage.Waiting or TrainingStage.Done or TrainingStage.Failed));
        return running is null ? "" : $"; request {running.Id} is worked on by {running.Host}, at step {running.Step:N0} of {running.TotalSteps:N0}";
    }
}
