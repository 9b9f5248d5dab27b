using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.Functions.Reviews;

/// <summary>
/// Reads a queue message's body. One that cannot be read fails its function, so that the host moves it to the poison queue and
/// nothing is lost.
/// </summary>
internal static partial class MessageBody
{
    public static T Read<T>(QueueMessage message, Func<BinaryData, T> parse, ILogger logger)
    {
        try
        {
            return parse(message.Body);
        }
        catch (Exception exception)
        {
            LogUnreadable(logger, message.MessageId, typeof(T).Name, message.DequeueCount, exception.Message);
            throw;
        }
    }

    [LoggerMessage(800, LogLevel.Error, "Message {MessageId} is no {Expected} (attempt {Attempt}): {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string messageId, string expected, long attempt, string reason);
}
