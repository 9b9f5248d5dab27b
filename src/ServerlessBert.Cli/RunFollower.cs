using System.Diagnostics;
using ServerlessBert.Pipeline.Runs;
using Spectre.Console;

namespace ServerlessBert.Cli;

/// <summary>Follows a run to its end: with a bar where a person watches, else in silence but for what they should know.</summary>
internal static class RunFollower
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500), Patience = TimeSpan.FromSeconds(20);

    public static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, CancellationToken cancellationToken)
    {
        if (!Terminal.IsWatched) return await FollowAsync(runs, blob, etag, _ => { }, cancellationToken);
        return await Terminal.Remarks.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(blob));
                return await FollowAsync(runs, blob, etag, progress =>
                {
                    task.MaxValue = Math.Max(1, progress.Run.Batches ?? 1);
                    task.Value = progress.Run.State == RunState.Done ? task.MaxValue : progress.Staged;
                    task.Description = Markup.Escape($"{blob}: {progress.Run.State.ToString().ToLowerInvariant()}{(progress.Run.Rows is { } rows ? $", {rows:N0} rows" : "")}");
                }, cancellationToken);
            });
    }

    private static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, Action<RunProgress> show, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        bool hasWarned = false;
        await foreach (RunProgress? progress in runs.FollowAsync(blob, etag, Interval, cancellationToken))
        {
            if (progress is null)
            {
                if (hasWarned || Stopwatch.GetElapsedTime(start) < Patience) continue;
                hasWarned = true;
                Terminal.Say($"{blob} was not taken yet; it waits for a running host (sbert host) and a live model (sbert models list). Ctrl-C leaves it there.");
                continue;
            }
            show(progress);
            if (progress.Run.IsFinished) return progress.Run;
        }
        throw new OperationCanceledException(cancellationToken);
    }
}
