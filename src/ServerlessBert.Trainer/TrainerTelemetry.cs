using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.Trainer;

/// <summary>
/// What the training job logs: events 600 to 699. Each message tells what happened to which request, file, step or version.
/// </summary>
internal static partial class TrainerLog
{
    [LoggerMessage(600, LogLevel.Information, "no request waits in {Queue}{Others}")]
    public static partial void NoRequest(this ILogger logger, string queue, string others);

    [LoggerMessage(601, LogLevel.Information,
        "another training runs, so request {Request} waits its turn; it is back in the queue for {Seconds:0} s{Others}")]
    public static partial void AnotherTrainingRuns(this ILogger logger, string request, double seconds, string others);

    [LoggerMessage(602, LogLevel.Information, "request {Request} ended before ({Outcome}); its message is deleted")]
    public static partial void EndedBefore(this ILogger logger, string request, string? outcome);

    [LoggerMessage(603, LogLevel.Error, "failed: {Reason} Request {Request} is in {Queue}.")]
    public static partial void RequestPoisoned(this ILogger logger, string reason, string request, string queue);

    [LoggerMessage(604, LogLevel.Warning,
        "failed: {Reason}; request {Request} is tried again, this was attempt {Attempt} of {MaxAttempts} without progress")]
    public static partial void AttemptFailed(
        this ILogger logger, Exception exception, string reason, string request, int attempt, int maxAttempts);

    [LoggerMessage(605, LogLevel.Error,
        "failed: {Reason}; storage could not be told of it ({Failure}), so request {Request} comes back when its hold runs out")]
    public static partial void SettlementFailed(this ILogger logger, string reason, string failure, string request);

    [LoggerMessage(606, LogLevel.Information, "stopped; request {Request} is back in the queue{Resume}")]
    public static partial void RequestReleased(this ILogger logger, string request, string resume);

    [LoggerMessage(607, LogLevel.Warning,
        "another worker has request {Request} now, or storage went away; this job stops without publishing")]
    public static partial void RequestLost(this ILogger logger, string request);

    [LoggerMessage(608, LogLevel.Error, "{Reason}")]
    public static partial void JobFailed(this ILogger logger, string reason);

    [LoggerMessage(609, LogLevel.Warning, "what request {Request} kept in storage stays there: {Reason}")]
    public static partial void StateNotCleared(this ILogger logger, string request, string reason);

    [LoggerMessage(620, LogLevel.Information, "{File}: {Rows:N0} labelled rows")]
    public static partial void FileRead(this ILogger logger, string file, int rows);

    [LoggerMessage(621, LogLevel.Warning, "{File} is left out: {Reason}")]
    public static partial void FileLeftOut(this ILogger logger, string file, string reason);

    [LoggerMessage(622, LogLevel.Information, "left out: {Rows:N0} rows that are in the evaluation set too")]
    public static partial void EvaluationRowsLeftOut(this ILogger logger, int rows);

    [LoggerMessage(623, LogLevel.Warning, "{Reason} The training restarts with the files as they are now.")]
    public static partial void TrainingRestarts(this ILogger logger, string reason);

    [LoggerMessage(624, LogLevel.Information, "{Train:N0} reviews to learn from, {HeldOut:N0} held out{EvaluationSet}")]
    public static partial void RowsSplit(this ILogger logger, int train, int heldOut, string evaluationSet);

    [LoggerMessage(625, LogLevel.Information, "{Note}")]
    public static partial void RecipeNote(this ILogger logger, string note);

    [LoggerMessage(640, LogLevel.Information,
        "step {Step}/{TotalSteps}  loss {Loss:0.000}  lr {LearningRate:0.0e-0}  {ReviewsPerSecond:0.0} reviews/s  {Left:c} left")]
    public static partial void StepDone(
        this ILogger logger, int step, int totalSteps, double loss, double learningRate, double reviewsPerSecond, TimeSpan left);

    [LoggerMessage(641, LogLevel.Information,
        "epoch {Epoch:0.##}: training loss {TrainingLoss:0.000}, validation loss {Loss:0.000}, accuracy {Accuracy:0.000} "
        + "({Low:0.000}-{High:0.000}), {StarsOff:0.00} stars off on average")]
    public static partial void Evaluated(
        this ILogger logger, double epoch, double trainingLoss, double loss, double accuracy, double low, double high, double starsOff);

    [LoggerMessage(642, LogLevel.Information, "checkpoint of step {Step} is in storage")]
    public static partial void CheckpointStored(this ILogger logger, int step);

    [LoggerMessage(643, LogLevel.Warning, "{Checkpoint} could not be copied to storage: {Reason}")]
    public static partial void CheckpointNotStored(this ILogger logger, string checkpoint, string reason);

    [LoggerMessage(644, LogLevel.Warning, "{Problem} The checkpoint before it is taken, or training restarts.")]
    public static partial void CheckpointDamaged(this ILogger logger, string problem);

    [LoggerMessage(645, LogLevel.Information, "{Steps:N0} steps in {Seconds:N0} s{Limit}")]
    public static partial void Trained(this ILogger logger, int steps, double seconds, string limit);

    [LoggerMessage(646, LogLevel.Debug, "the progress could not be written: {Reason}")]
    public static partial void ProgressNotReported(this ILogger logger, string reason);

    [LoggerMessage(660, LogLevel.Information, "an earlier attempt trained the model; it is published now")]
    public static partial void TrainedBefore(this ILogger logger);

    [LoggerMessage(661, LogLevel.Information, "published {Version}: {Reason}")]
    public static partial void Published(this ILogger logger, string version, string reason);

    [LoggerMessage(662, LogLevel.Information, "promoted {Version}")]
    public static partial void Promoted(this ILogger logger, string version);

    [LoggerMessage(663, LogLevel.Information, "not promoted; {Live} stays live (sbert models promote {Version} would change that)")]
    public static partial void NotPromoted(this ILogger logger, string live, string version);

    [LoggerMessage(664, LogLevel.Information, "{Live} is live now and not {Compared}, which the gate compared with; comparing again")]
    public static partial void LiveModelMoved(this ILogger logger, string live, string compared);

    [LoggerMessage(665, LogLevel.Warning, "{Reason} The candidate cannot be compared again.")]
    public static partial void RowsGone(this ILogger logger, string reason);

    [LoggerMessage(666, LogLevel.Information, "pruned {Versions} old versions")]
    public static partial void Pruned(this ILogger logger, int versions);

    [LoggerMessage(667, LogLevel.Warning, "old versions stay for now: {Reason}")]
    public static partial void NotPruned(this ILogger logger, string reason);
}

/// <summary>
/// The training job's metrics, named once; any OpenTelemetry or dotnet-counters listener reads them from the meter <see
/// cref="MeterName"/>.
/// </summary>
public static class TrainerMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "ServerlessBert.Trainer";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>("sbert.training.attempts", "{attempt}",
        "Attempts at a request that ended, by outcome: done, poisoned, released, lost or retried.");
    private static readonly Histogram<double> AttemptSeconds =
        Meter.CreateHistogram<double>("sbert.training.attempt.duration", "s", "From an attempt's begin to its end, by outcome.");
    private static readonly Counter<long> Reviews =
        Meter.CreateCounter<long>("sbert.training.reviews", "{review}", "Reviews learned from, each epoch anew.");
    private static readonly Counter<long> Checkpoints = Meter.CreateCounter<long>("sbert.training.checkpoints", "{checkpoint}",
        "Checkpoints copied to storage, by outcome: stored or failed.");
    private static readonly Counter<long> Gates = Meter.CreateCounter<long>("sbert.training.gates", "{version}",
        "Versions published, by what the gate decided: promoted or unpromoted.");

    internal static void AttemptEnded(string outcome, TimeSpan duration)
    {
        Attempts.Add(1, Tag("outcome", outcome));
        AttemptSeconds.Record(duration.TotalSeconds, Tag("outcome", outcome));
    }

    internal static void ReviewsLearned(long reviews) => Reviews.Add(reviews);

    internal static void CheckpointEnded(string outcome) => Checkpoints.Add(1, Tag("outcome", outcome));

    internal static void Decided(bool isPromoted) => Gates.Add(1, Tag("decision", isPromoted ? "promoted" : "unpromoted"));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
