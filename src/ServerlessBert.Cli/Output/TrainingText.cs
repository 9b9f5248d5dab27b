using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Cli.Output;

/// <summary>A training's progress, or its outcome, in a line.</summary>
internal static class TrainingText
{
    // Its progress is written every few seconds.
    private static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromMinutes(2);

    /// <summary>The line.</summary>
    /// <param name="run">The training.</param>
    /// <param name="now">The time to compare its last heartbeat with.</param>
    public static string Of(TrainingJobState run, DateTimeOffset now)
    {
        string id = run.Id.Length > 8 ? run.Id[..8] : run.Id;
        string name = run.RequestedBy is { } by ? $"{id}, requested by {by}" : id;
        if (run.Stage == TrainingStage.Damaged) return $"{name}: {run.Outcome}";
        if (run.HasEnded) return $"{name}: {(run.Stage == TrainingStage.Done ? run.Outcome : $"failed: {run.Outcome}")} ({run.Ended:u})";
        string attempt = run.Attempts > 1 ? $", attempt {run.Attempts}" : "";
        if (run.Stage == TrainingStage.Waiting)
            return $"{name}: waits to be retried{attempt}{(run.LastError is { } error ? $"; the last attempt failed: {error}" : "")}";
        string late = now - run.Updated > HeartbeatTimeout ? $"; no heartbeat since {run.Updated:u}" : "";
        return $"{name}: {run.Stage.ToString().ToLowerInvariant()}{Steps(run)} on {run.Host}{attempt}{late}";
    }

    private static string Steps(TrainingJobState run)
    {
        if (run.TotalSteps == 0) return "";
        string left = run.SecondsLeft is { } seconds ? $", about {(seconds < 90 ? $"{seconds:0} s" : $"{seconds / 60:0} min")} left" : "";
        return $", step {run.Step:N0} of {run.TotalSteps:N0}, loss {run.Loss:0.000}, lr {run.LearningRate:0.0e+0}{left}";
    }
}
