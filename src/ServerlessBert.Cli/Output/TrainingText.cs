using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Cli.Output;

/// <summary>A training's progress, or its outcome, in a line.</summary>
internal static class TrainingText
{
    // Its progress is written every few seconds.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    /// <summary>The line.</summary>
    /// <param name="run">The training.</param>
    /// <param name="now">The time to compare its last sign of life with.</param>
    public static string Of(TrainingJobState run, DateTimeOffset now)
    {
        string id = run.Id.Length > 8 ? run.Id[..8] : run.Id;
        string asked = run.RequestedBy is { } by ? $"{id}, asked for by {by}" : id;
        if (run.Stage == TrainingStage.Damaged) return $"{asked}: {run.Outcome}";
        if (run.HasEnded) return $"{asked}: {(run.Stage == TrainingStage.Done ? run.Outcome : $"given up: {run.Outcome}")} ({run.Ended:u})";
        string attempt = run.Attempts > 1 ? $", attempt {run.Attempts}" : "";
        if (run.Stage == TrainingStage.Waiting)
            return $"{asked}: waits to be taken up again{attempt}{(run.LastError is { } error ? $"; the last attempt failed: {error}" : "")}";
        string silence = now - run.Updated > Silence ? $"; no sign of life since {run.Updated:u}" : "";
        return $"{asked}: {run.Stage.ToString().ToLowerInvariant()}{Steps(run)} on {run.Host}{attempt}{silence}";
    }

    private static string Steps(TrainingJobState run)
    {
        if (run.TotalSteps == 0) return "";
        string left = run.SecondsLeft is { } seconds ? $", about {(seconds < 90 ? $"{seconds:0} s" : $"{seconds / 60:0} min")} left" : "";
        return $", step {run.Step:N0} of {run.TotalSteps:N0}, loss {run.Loss:0.000}, lr {run.LearningRate:0.0e+0}{left}";
    }
}
