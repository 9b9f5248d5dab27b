using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Pipeline.Telemetry;

/// <summary>What the pipeline says: each message tells what happened to which blob, run, batch or version, with those as fields.</summary>
/// <remarks>
/// Events 1 to 19 are of files, runs and batches, 20 to 29 of models, 30 to 39 of retraining, 40 to 49 of drift, 50 to 59
/// of hosts, 60 to 69 of what becomes of what is done; 600 to 699 are the trainer's, 700 to 799 the local host's, 800 to
/// 899 the functions'. A test holds that no id is used twice.
/// </remarks>
internal static partial class PipelineLog
{
    [LoggerMessage(60, LogLevel.Information, "{Blob} is done and was moved to {Destination}.")]
    public static partial void InputMoved(this ILogger logger, string blob, string destination);

    [LoggerMessage(61, LogLevel.Warning,
        "{Blob} is done, but storage refused what ProcessedInput asks for ({Option}); the sweep tries again.")]
    public static partial void InputNotSettled(this ILogger logger, Exception exception, string blob, Enum option);

    [LoggerMessage(62, LogLevel.Information, "What run {Run} had staged is cleared away{WithDocument}: it ended long ago.")]
    public static partial void RunCleared(this ILogger logger, string run, string withDocument);

    [LoggerMessage(43, LogLevel.Warning, "{Blob} is done, but stays where it is: {Reason}")]
    public static partial void InputNotMoved(this ILogger logger, string blob, string reason);

    [LoggerMessage(70, LogLevel.Warning, "What run {Run} of {Blob} left cannot be replaced: {Reason}")]
    public static partial void OutputUnwritable(this ILogger logger, string run, string blob, string reason);

    [LoggerMessage(71, LogLevel.Error, "This host takes no more batches until it can do them: {Reason} It asks again at {AsksAgain:O}.")]
    public static partial void HostUnable(this ILogger logger, string reason, DateTimeOffset asksAgain);

    [LoggerMessage(72, LogLevel.Information, "This host takes batches again.")]
    public static partial void HostAbleAgain(this ILogger logger);

    [LoggerMessage(73, LogLevel.Warning, "Batch {Batch} of run {Run} ({Blob}) is given back, and the attempt is not counted: {Reason}")]
    public static partial void BatchGivenBack(this ILogger logger, int batch, string run, string blob, string reason);

    [LoggerMessage(74, LogLevel.Warning, "Run {Run} waits, which its document could not be told.")]
    public static partial void WaitingNotRecorded(this ILogger logger, Exception exception, string run);

    [LoggerMessage(75, LogLevel.Warning,
        "Batch {Batch} of run {Run} ({Blob}) cannot be read for its error rows either; they are made from their numbers.")]
    public static partial void BatchUnreadable(this ILogger logger, Exception exception, int batch, string run, string blob);

    [LoggerMessage(76, LogLevel.Warning, "The plan of run {Run} of {Blob} is gone; the file is cut again.")]
    public static partial void PlanLost(this ILogger logger, string run, string blob);

    [LoggerMessage(77, LogLevel.Warning, "A file in the reviews container is left out. {Reason}")]
    public static partial void OddName(this ILogger logger, string reason);

    [LoggerMessage(78, LogLevel.Information, "{Blob} is given back to the queue, and the attempt is not counted: {Reason}")]
    public static partial void FileGivenBack(this ILogger logger, string blob, string reason);

    [LoggerMessage(1, LogLevel.Debug, "An event in review-files tells of something else than a new review file and is ignored.")]
    public static partial void OtherEvent(this ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "{Blob} is not there any more; nothing to split.")]
    public static partial void InputGone(this ILogger logger, string blob);

    [LoggerMessage(3, LogLevel.Information, "{Blob} was dropped again since its message was written; the present content is taken.")]
    public static partial void InputNewer(this ILogger logger, string blob);

    [LoggerMessage(4, LogLevel.Warning,
        "{Blob} waits: no model is live. Publish one and promote it (sbert models publish, sbert models promote); the sweep then "
            + "takes up the file.")]
    public static partial void NoModel(this ILogger logger, string blob);

    [LoggerMessage(5, LogLevel.Information, "{Blob} has its run {Run} already ({State}); the message is a duplicate.")]
    public static partial void DuplicateFile(this ILogger logger, string blob, string run, Enum state);

    [LoggerMessage(6, LogLevel.Information, "{Blob} is split: run {Run} with {Batches} batches, {Rows} rows, model {Version}.")]
    public static partial void Split(this ILogger logger, string blob, string run, int batches, long rows, string version);

    [LoggerMessage(7, LogLevel.Information,
        "Batch {Batch} of run {Run} ({Blob}) is staged: {Rows} rows in {Seconds:F2} s by model {Version}.")]
    public static partial void BatchStaged(
        this ILogger logger, int batch, string run, string blob, int rows, double seconds, string version);

    [LoggerMessage(8, LogLevel.Warning, "Batch {Batch} of run {Run} ({Blob}) failed at attempt {Attempt}.")]
    public static partial void BatchFailed(this ILogger logger, Exception exception, int batch, string run, string blob, long attempt);

    [LoggerMessage(9, LogLevel.Warning, "The failure of batch {Batch} of run {Run} could not be recorded.")]
    public static partial void FailureNotRecorded(this ILogger logger, Exception exception, int batch, string run);

    [LoggerMessage(10, LogLevel.Error, "Batch {Batch} of run {Run} ({Blob}) is dead-lettered: its rows become errors. {Reason}")]
    public static partial void BatchDeadLettered(this ILogger logger, int batch, string run, string blob, string reason);

    [LoggerMessage(11, LogLevel.Information, "Run {Run} is done: {Predictions} has {Rows} rows, {Errors} of them errors.")]
    public static partial void RunDone(this ILogger logger, string run, string predictions, long rows, long errors);

    [LoggerMessage(12, LogLevel.Warning, "Run {Run} of {Blob} failed ({Code}): {Reason}")]
    public static partial void RunFailed(this ILogger logger, string run, string blob, string code, string reason);

    [LoggerMessage(13, LogLevel.Information, "Run {Run} of {Blob} is superseded by a newer drop.")]
    public static partial void RunSuperseded(this ILogger logger, string run, string blob);

    [LoggerMessage(14, LogLevel.Information, "The sweep found {Blob} without a run and queued it.")]
    public static partial void FoundFile(this ILogger logger, string blob);

    [LoggerMessage(15, LogLevel.Warning,
        "Run {Run} of {Blob} stood still in state {State}: attempt {Attempt} to recover it, {Batches} batches queued again.")]
    public static partial void RunRecovered(this ILogger logger, string run, string blob, Enum state, int attempt, int batches);

    [LoggerMessage(16, LogLevel.Warning,
        "{Files} review files wait: no model is live. Publish one and promote it (sbert models publish, sbert models promote).")]
    public static partial void FilesWaitForModel(this ILogger logger, int files);

    [LoggerMessage(17, LogLevel.Error, "The sweep could not look after run {Run}; it goes on with the others.")]
    public static partial void SweepFailed(this ILogger logger, Exception exception, string run);

    [LoggerMessage(25, LogLevel.Warning, "Run {Run} of {Blob} is answered by model {Version}, which was live before: {Reason}")]
    public static partial void RunRepinned(this ILogger logger, string run, string blob, string version, string reason);

    [LoggerMessage(26, LogLevel.Warning, "Model {Version} did not run in shadow on batch {Batch} of run {Run} ({Blob}): {Reason}")]
    public static partial void ShadowFailed(
        this ILogger logger, Exception? exception, string version, int batch, string run, string blob, string reason);

    [LoggerMessage(20, LogLevel.Information, "Model {Version} is loaded in {Seconds:F2} s ({Digest}).")]
    public static partial void ModelLoaded(this ILogger logger, string version, double seconds, string digest);

    [LoggerMessage(27, LogLevel.Information, "A model computes in {Dtype}, by {Layers}.")]
    public static partial void ModelComputes(this ILogger logger, string dtype, string layers);

    [LoggerMessage(28, LogLevel.Information,
        "Model {Version} computes in {Dtype} on every host from now on; this host measured {Measured}.")]
    public static partial void DtypeDecided(this ILogger logger, string version, InferenceDtype dtype, InferenceDtype measured);

    [LoggerMessage(21, LogLevel.Information, "Model {Version} is live on this host; before it was {Previous}.")]
    public static partial void ModelSwapped(this ILogger logger, string version, string previous);

    [LoggerMessage(22, LogLevel.Error, "Model {Version} cannot be loaded: {Reason}")]
    public static partial void ModelFailed(this ILogger logger, Exception exception, string version, string reason);

    [LoggerMessage(23, LogLevel.Information, "Model {Version} is freed.")]
    public static partial void ModelFreed(this ILogger logger, string version);

    [LoggerMessage(24, LogLevel.Warning, "The pointer to the live model could not be read: {Reason} The loaded model goes on serving.")]
    public static partial void PointerUnreadable(this ILogger logger, Exception exception, string reason);

    [LoggerMessage(30, LogLevel.Information, "A training is requested: {Files} labelled files are new to model {Version}.")]
    public static partial void TrainingRequested(this ILogger logger, int files, string version);

    [LoggerMessage(31, LogLevel.Information, "No training is requested: {Reason}")]
    public static partial void TrainingNotRequested(this ILogger logger, string reason);

    [LoggerMessage(32, LogLevel.Warning, "What model {Version} was trained on is not known, so its files count as new: {Reason}")]
    public static partial void TrainingRecordDamaged(this ILogger logger, string version, string reason);

    [LoggerMessage(40, LogLevel.Warning, "The predictions of run {Run} ({Blob}, model {Version}) drifted. {Reason}")]
    public static partial void Drifted(this ILogger logger, string run, string blob, string version, string reason);

    [LoggerMessage(41, LogLevel.Warning,
        "The baseline of model {Version} cannot be read, so its predictions are compared with nothing: {Reason}")]
    public static partial void BaselineUnreadable(this ILogger logger, Exception exception, string version, string reason);

    [LoggerMessage(42, LogLevel.Information, "Drift asked for a training in place of model {Version}: {Reason}")]
    public static partial void TrainingRequestedByDrift(this ILogger logger, string version, string reason);

    [LoggerMessage(50, LogLevel.Warning, "This host's sign of life could not be written: {Reason}")]
    public static partial void HeartbeatFailed(this ILogger logger, string reason);
}
