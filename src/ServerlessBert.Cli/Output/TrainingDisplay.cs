using System.Diagnostics;
using System.Globalization;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;
using Spectre.Console;

namespace ServerlessBert.Cli.Output;

/// <summary>Shows a training: a bar with loss, learning rate and time left on a terminal, else a line every few seconds.</summary>
internal static class TrainingDisplay
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <summary>Runs the training while its progress is shown on <paramref name="console"/>.</summary>
    /// <param name="console">Where to draw.</param>
    /// <param name="isWatched">Whether a person watches; else lines are printed.</param>
    /// <param name="train">The training; it reports to what it is given.</param>
    public static T Run<T>(IAnsiConsole console, bool isWatched, Func<IProgress<TrainingProgress>, T> train) =>
        isWatched ? WithBar(console, train) : WithLines(console, train);

    private static T WithBar<T>(IAnsiConsole console, Func<IProgress<TrainingProgress>, T> train) =>
        console.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                ProgressTask task = context.AddTask("the first step", maxValue: 1);
                var pace = new TrainingPace();
                return train(new Synchronously(progress =>
                {
                    if (progress.Evaluation is { } metrics)
                    {
                        console.MarkupLineInterpolated($"{Describe(progress, metrics)}");
                        return;
                    }
                    pace.Add(progress);
                    (task.MaxValue, task.Value, task.Description) = (progress.TotalSteps, progress.Step, Describe(progress, pace));
                }));
            });

    private static T WithLines<T>(IAnsiConsole console, Func<IProgress<TrainingProgress>, T> train)
    {
        TextWriter lines = console.Profile.Out.Writer; // as they are: the console would fold them at 80 columns
        var pace = new TrainingPace();
        long last = 0;
        return train(new Synchronously(progress =>
        {
            if (progress.Evaluation is { } metrics)
            {
                lines.WriteLine(Describe(progress, metrics));
                return;
            }
            pace.Add(progress);
            if (last != 0 && Stopwatch.GetElapsedTime(last) <= LineInterval) return;
            last = Stopwatch.GetTimestamp();
            lines.WriteLine(Describe(progress, pace));
        }));
    }

    private static string Describe(TrainingProgress progress, TrainingPace pace) => string.Create(CultureInfo.InvariantCulture,
        $"step {progress.Step}/{progress.TotalSteps}  loss {pace.Loss:0.000}  lr {progress.LearningRate:0.0e-0}  "
            + $"{pace.ReviewsPerSecond:0.0} reviews/s  {Duration(pace.Left)} left");

    private static string Describe(TrainingProgress progress, EvaluationMetrics metrics) => string.Create(CultureInfo.InvariantCulture,
        $"epoch {progress.Epoch:0.##}: training loss {progress.Loss:0.000}, held-out loss {metrics.Loss:0.000}, accuracy "
            + $"{metrics.Accuracy:0.000} ({metrics.AccuracyLow:0.000}-{metrics.AccuracyHigh:0.000}), "
                + $"{metrics.MeanAbsoluteError:0.00} stars off on average");

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time:mm\\:ss}")
        : time.ToString("m\\:ss", CultureInfo.InvariantCulture);

    /// <summary>Reports on the caller's own thread: <see cref="Progress{T}"/> would post to the pool, out of order.</summary>
    private sealed class Synchronously(Action<TrainingProgress> show) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => show(value);
    }
}
