using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Modeling.Training.Checkpointing;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Trainer;

/// <summary>Fine-tunes with checkpoints in storage, from the newest whole one, within what is left of the limit on hours.</summary>
internal sealed class ResumableTraining(
    TrainingStateStore store, TrainerOptions options, IProgress<TrainingProgress> progress, ILogger<ResumableTraining> logger)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>Trains into a candidate folder.</summary>
    /// <param name="document">The training.</param>
    /// <param name="fineTuning">What is trained.</param>
    /// <param name="split">The rows.</param>
    /// <param name="candidate">Where the model goes.</param>
    /// <param name="checkpoints">A local folder for checkpoints.</param>
    /// <param name="cancellationToken">Stops after the present step, with a checkpoint in storage.</param>
    public async Task RunAsync(
        TrainingDocument document, TrainingRecipe fineTuning, StratifiedSplit split, string candidate, string checkpoints,
            CancellationToken cancellationToken)
    {
        int step = await store.LoadCheckpointAsync(document.Run.Id, checkpoints, logger.CheckpointDamaged, cancellationToken);
        if (step > 0) CopyLogs(Path.Combine(checkpoints, $"checkpoint-{step}"), candidate);
        var uploads = new CheckpointUploads(store, document, logger);
        // The training ends by its own count of hours; this one knows of the hours that were lost between checkpoints, too.
        double hoursLeft = Math.Max(0, options.MaxHours - (document.Run.SecondsSpent / 3600));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromHours(hoursLeft) + Grace);
        var settings = new TrainingCheckpoints(checkpoints)
        {
            EverySteps = options.CheckpointSteps,
            Every = options.CheckpointEvery,
            Saved = Saved,
            Remark = logger.RecipeNote,
        };
        TrainingRecord record;
        try
        {
            await using var reporter = new TrainingReporter(document, options.ReportEvery, logger);
            // A thread of its own: the pool's are for renewing what is held, which must not wait for a step.
            record = await Task.Factory.StartNew(
                () => fineTuning.Run(split, candidate, new Both(progress, reporter), logger.RecipeNote, limit.Token, settings),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            await uploads.FinishAsync();
        }
        cancellationToken.ThrowIfCancellationRequested();
        bool isLimited = record.Result.End is TrainingEnd.TimeLimit or TrainingEnd.Cancelled;
        logger.Trained(record.Result.Steps, record.Result.Seconds, isLimited ? FormattableString.Invariant(
            $", stopped by the limit of {options.MaxHours} hours") : "");

        void Saved(string folder)
        {
            CopyLogs(candidate, folder);
            uploads.Saved(folder);
            // Asked to stop, the checkpoint is all that the next attempt needs: no evaluation for a model that is not kept.
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // The log that a training keeps beside its model: with each checkpoint, so that the report tells of all attempts.
    private static void CopyLogs(string from, string to)
    {
        if (!Directory.Exists(from)) return;
        Directory.CreateDirectory(to);
        foreach (string log in Directory.EnumerateFiles(from, "*.jsonl"))
            File.Copy(log, Path.Combine(to, Path.GetFileName(log)), overwrite: true);
    }

    private sealed class Both(IProgress<TrainingProgress> one, IProgress<TrainingProgress> other) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            one.Report(value);
            other.Report(value);
        }
    }
}

/// <summary>
/// Copies each checkpoint folder to storage while training goes on, one at a time: the next waits until the one before
/// is there, so that no folder is deleted under a copy.
/// </summary>
/// <param name="store">Where to.</param>
/// <param name="document">Told of each checkpoint that is whole in storage.</param>
/// <param name="logger">Where copies are logged.</param>
internal sealed class CheckpointUploads(TrainingStateStore store, TrainingDocument document, ILogger logger)
{
    private Task uploading = Task.CompletedTask;

    /// <summary>A folder is whole; returns when its copying has begun.</summary>
    public void Saved(string folder)
    {
        uploading.Wait();
        uploading = Task.Run(() => UploadAsync(folder));
    }

    /// <summary>Waits for the copy that is under way.</summary>
    public Task FinishAsync() => uploading;

    private async Task UploadAsync(string folder)
    {
        try
        {
            int step = await store.SaveCheckpointAsync(document.Run.Id, folder);
            await document.ChangeAsync(run => run.WithCheckpoint(step));
            logger.CheckpointStored(step);
            TrainerMetrics.CheckpointEnded("stored");
        }
        catch (DirectoryNotFoundException)
        {
            // The training came to its end meanwhile and deleted its checkpoints: this one is not needed any more.
        }
        catch (TrainingLostException)
        {
            // The document's own token tells the job.
        }
        catch (Exception exception)
        {
            // Storage may be away for a moment; the training itself can do without, and there is a next checkpoint.
            logger.CheckpointNotStored(Path.GetFileName(folder), FailureText.Of(exception));
            TrainerMetrics.CheckpointEnded("failed");
        }
    }
}
