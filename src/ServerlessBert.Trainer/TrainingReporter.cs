using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Trainer;

/// <summary>Writes a training's progress into its document every few seconds, for sbert status to see.</summary>
internal sealed class TrainingReporter : IProgress<TrainingProgress>, IAsyncDisposable
{
    private readonly TrainingDocument document;
    private readonly ILogger logger;
    private readonly double spentBefore;
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly CancellationTokenSource end = new();
    private readonly Task reporting;
    private TrainingProgress? latest, written;
    private EvaluationMetrics? evaluation;
    private (int Step, long Time)? first;

    /// <summary>Begins to report.</summary>
    /// <param name="document">Where to.</param>
    /// <param name="every">Time between two reports.</param>
    /// <param name="logger">Where a report that storage did not take is logged.</param>
    public TrainingReporter(TrainingDocument document, TimeSpan every, ILogger logger)
    {
        (this.document, this.logger) = (document, logger);
        spentBefore = document.Run.SecondsSpent;
        reporting = ReportAsync(every);
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        first ??= (value.Step, Stopwatch.GetTimestamp());
        if (value.Evaluation is { } metrics) evaluation = metrics;
        Volatile.Write(ref latest, value);
    }

    /// <summary>Ends the reporting, with the last state written.</summary>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await reporting;
        await WriteAsync();
        end.Dispose();
    }

    private async Task ReportAsync(TimeSpan every)
    {
        using var timer = new PeriodicTimer(every);
        try
        {
            while (await timer.WaitForNextTickAsync(end.Token)) await WriteAsync();
        }
        catch (OperationCanceledException)
        {
            // The training has ended.
        }
    }

    private async Task WriteAsync()
    {
        TrainingProgress? progress = Volatile.Read(ref latest);
        if (progress is null || progress == written) return;
        try
        {
            await document.ChangeAsync(run => run with
            {
                Step = progress.Step,
                TotalSteps = progress.TotalSteps,
                Loss = progress.Loss,
                LearningRate = progress.LearningRate,
                Accuracy = evaluation?.Accuracy ?? run.Accuracy,
                SecondsLeft = SecondsLeft(progress),
                SecondsSpent = spentBefore + Stopwatch.GetElapsedTime(start).TotalSeconds,
            });
            written = progress;
        }
        catch (Exception exception)
        {
            // Progress that is not shown is no reason to stop; a training that is lost is, and the document's token says so.
            logger.ProgressNotReported(FailureText.Of(exception));
        }
    }

    private double? SecondsLeft(TrainingProgress progress) => first is var (step, time) && progress.Step > step
        ? Stopwatch.GetElapsedTime(time).TotalSeconds / (progress.Step - step) * (progress.TotalSteps - progress.Step)
        : null;
}

/// <summary>Logs a training's progress: each evaluation, and a step every ten seconds.</summary>
internal sealed class TrainingProgressLog(ILogger<TrainingProgressLog> logger) : IProgress<TrainingProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly TrainingPace pace = new();
    private long last, reviews;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (value.Evaluation is { } metrics)
        {
            logger.Evaluated(value.Epoch, value.Loss, metrics.Loss, metrics.Accuracy, metrics.AccuracyLow, metrics.AccuracyHigh,
                metrics.MeanAbsoluteError);
            return;
        }
        TrainerMetrics.ReviewsLearned(Math.Max(0, value.Reviews - reviews));
        reviews = value.Reviews;
        pace.Add(value);
        if (last != 0 && Stopwatch.GetElapsedTime(last) <= Interval) return;
        last = Stopwatch.GetTimestamp();
        logger.StepDone(value.Step, value.TotalSteps, pace.Loss, value.LearningRate, pace.ReviewsPerSecond,
            TimeSpan.FromSeconds(Math.Round(pace.Left.TotalSeconds)));
    }
}
