using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>What the host logs.</summary>
internal static partial class HostLog
{
    [LoggerMessage(700, LogLevel.Warning, "{Function} failed on message {MessageId} (attempt {Attempt} of {MaxAttempts}): {Reason}")]
    public static partial void MessageFailed(
        ILogger logger, string function, string messageId, long attempt, int maxAttempts, string reason);

    [LoggerMessage(701, LogLevel.Error, "Message {MessageId} moved from {Queue} to {Poison}: {Reason}")]
    public static partial void MovedToPoison(ILogger logger, string messageId, string queue, string poison, string reason);

    [LoggerMessage(702, LogLevel.Error, "Message {MessageId} stays in {Queue}: {Reason}")]
    public static partial void LeftInQueue(ILogger logger, string messageId, string queue, string reason);

    [LoggerMessage(703, LogLevel.Warning,
        "The hold on message {MessageId} of {Queue} is lost ({Code}); it may be worked on a second time.")]
    public static partial void LeaseLost(ILogger logger, string messageId, string queue, string? code);

    [LoggerMessage(704, LogLevel.Warning, "Message {MessageId} of {Queue} was not renewed: {Reason}")]
    public static partial void RenewalFailed(ILogger logger, string messageId, string queue, string reason);

    [LoggerMessage(705, LogLevel.Warning, "Message {MessageId} of {Queue} could not be ended and will be delivered again: {Reason}")]
    public static partial void EndingFailed(ILogger logger, string messageId, string queue, string reason);

    [LoggerMessage(706, LogLevel.Warning, "Queue {Queue} does not answer, trying again: {Reason}")]
    public static partial void QueueUnreachable(ILogger logger, string queue, string reason);

    [LoggerMessage(712, LogLevel.Error, "{Loop} failed and is tried again in {Seconds:0} s: {Reason}")]
    public static partial void RoundFailed(ILogger logger, string loop, double seconds, string reason, Exception? exception);

    [LoggerMessage(707, LogLevel.Information, "Message {MessageId} of {Queue} was given back, because the host stops.")]
    public static partial void GivenBack(ILogger logger, string messageId, string queue);

    [LoggerMessage(708, LogLevel.Error, "{Function} failed: {Reason}")]
    public static partial void FunctionFailed(ILogger logger, string function, string reason, Exception? exception);

    [LoggerMessage(709, LogLevel.Information, "Starting the trainer: a request waits in {Queue}.")]
    public static partial void TrainerStarting(ILogger logger, string queue);

    [LoggerMessage(710, LogLevel.Information, "The trainer ended with exit code {ExitCode}.")]
    public static partial void TrainerEnded(ILogger logger, int exitCode);

    [LoggerMessage(711, LogLevel.Error, "The trainer could not be started: {Reason}")]
    public static partial void TrainerNotStarted(ILogger logger, string reason);
}
