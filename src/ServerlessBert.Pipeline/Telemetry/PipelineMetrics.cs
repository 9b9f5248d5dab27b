using System.Diagnostics.Metrics;

namespace ServerlessBert.Pipeline.Telemetry;

/// <summary>
/// The pipeline's metrics, named once. Any OpenTelemetry or dotnet-counters listener reads them from the meter <see
/// cref="MeterName"/>.
/// </summary>
public static class PipelineMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ServerlessBert.Pipeline";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Rows =
        Meter.CreateCounter<long>("sbert.rows", "{row}", "Rows staged, by outcome: predicted or an error's code.");
    private static readonly Histogram<double> BatchSeconds =
        Meter.CreateHistogram<double>("sbert.batch.duration", "s", "From a batch's message to its staged block.");
    private static readonly Counter<long> BatchFailures =
        Meter.CreateCounter<long>("sbert.batch.failures", "{failure}", "Attempts at a batch that threw, by the exception's type.");
    private static readonly Counter<long> Requeued =
        Meter.CreateCounter<long>("sbert.batch.requeued", "{batch}", "Batches that the sweep queued again.");
    private static readonly Counter<long> Runs = Meter.CreateCounter<long>("sbert.runs", "{run}", "Runs that ended, by state.");
    private static readonly Histogram<double> RunSeconds =
        Meter.CreateHistogram<double>("sbert.run.duration", "s", "From a run's start to its end.");
    private static readonly Counter<long> ModelLoads = Meter.CreateCounter<long>("sbert.model.loads", "{load}", "Model loads, by outcome.");
    private static readonly Histogram<double> ModelLoadSeconds =
        Meter.CreateHistogram<double>("sbert.model.load.duration", "s", "Download, checks, loading and warm-up of a model.");

    private static readonly Counter<long> Drifts =
        Meter.CreateCounter<long>(
        "sbert.drift", "{run}", "Runs whose predictions drifted, by what did: stars, confidence or unknownTokens.");

    internal static void BatchStaged(long predictions, IReadOnlyDictionary<string, long> errors, TimeSpan duration)
    {
        if (predictions > 0) Rows.Add(predictions, Tag("outcome", "predicted"));
        foreach (var (code, rows) in errors) Rows.Add(rows, Tag("outcome", code));
        BatchSeconds.Record(duration.TotalSeconds);
    }

    internal static void BatchFailed(Exception exception) => BatchFailures.Add(1, Tag("type", exception.GetType().Name));

    internal static void BatchesRequeued(int batches) => Requeued.Add(batches);

    internal static void RunEnded(string state, TimeSpan duration)
    {
        Runs.Add(1, Tag("state", state));
        RunSeconds.Record(duration.TotalSeconds, Tag("state", state));
    }

    internal static void ModelLoaded(TimeSpan duration)
    {
        ModelLoads.Add(1, Tag("outcome", "loaded"));
        ModelLoadSeconds.Record(duration.TotalSeconds);
    }

    internal static void Drifted(IReadOnlyList<string> flags)
    {
        foreach (string flag in flags) Drifts.Add(1, Tag("flag", flag));
    }

    internal static void ModelFailed() => ModelLoads.Add(1, Tag("outcome", "failed"));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
