using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;

namespace ServerlessBert.Cli.Output;

/// <summary>The pipeline's state in a few lines.</summary>
internal static class StatusText
{
    private const int FinishedRuns = 10;

    public static IEnumerable<string> Lines(PipelineState state)
    {
        yield return $"storage  {state.Account}";
        yield return $"model    {state.LiveError ?? (state.Live is { } live
            ? $"{live.Version}, live since {live.Promoted:u}: {live.Reason}"
            : "none is live (sbert models publish DIR --promote)")}";
        if (state.Live?.Shadow is { } shadow) yield return $"shadow   {shadow.Version}, on {shadow.Share:P0} of the batches since "
            + $"{shadow.Since:u}";
        foreach (HostHeartbeat host in state.Hosts) yield return $"host     {Describe(host)}";
        foreach (QueueDepth queue in state.Queues.Where(queue => queue.Messages is not 0))
            yield return $"queue    {queue.Name}: {(queue.Messages is { } waiting ? $"{waiting:N0} waiting" : "missing")}";
        foreach (TrainingJobState training in state.Trainings)
            yield return $"training {TrainingText.Of(training, DateTimeOffset.UtcNow)}";
        foreach (RunProgress progress in state.Runs.Where(run => !run.Run.IsFinished)
            .Concat(state.Runs.Where(run => run.Run.IsFinished).Take(FinishedRuns)))
            yield return $"run      {Describe(progress)}";
    }

    private static string Describe(HostHeartbeat host)
    {
        if (host.Damage is not null) return $"{host.Host}: {host.Damage}";
        ModelCacheStatus model = host.Model;
        string loaded = model.Version is null ? "no model loaded yet" : $"{model.Version}, loaded {model.LoadedAt:u}";
        string served = model.LastServed is null ? "nothing predicted yet"
            : $"{Count.Of(model.RowsServed, "row")}, the last {model.LastServed:u}";
        return $"{host.Host}: {loaded}; {served}; {host.MemoryBytes / 1e6:N0} MB"
            + (model.LastError is null ? "" : $"; {model.LastError}")
            + (host.Trouble is { } trouble ? $"; takes no batches since {trouble.Since:u}: {trouble.Reason}" : "");
    }

    private static string Describe(RunProgress progress) => progress.Run.State switch
    {
        RunState.Done =>
            $"{progress.Run.Blob}: done, {Count.Of(progress.Run.Rows ?? 0, "row")}"
                + (progress.Run.ErrorRows is > 0 and var errors ? $", {errors:N0} with errors" : "") + $", by {progress.Run.Model}",
        RunState.Splitting or RunState.Classifying or RunState.Committing =>
            $"{progress.Run.Blob}: {progress.Run.State.ToString().ToLowerInvariant()}, {progress.Staged:N0} of "
                + $"{(progress.Run.Batches is { } batches ? Count.Of(batches, "batch", "batches") : "? batches")}",
        _ => $"{progress.Run.Blob}: {progress.Run.State.ToString().ToLowerInvariant()}, {progress.Run.ErrorMessage}",
    };
}
