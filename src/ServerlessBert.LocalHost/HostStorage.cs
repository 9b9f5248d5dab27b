using Azure;

namespace ServerlessBert.LocalHost;

/// <summary>What the storage clients throw when an account does not answer or refuses.</summary>
internal static class StorageErrors
{
    /// <summary>Whether a later attempt may succeed; the clients wrap what their own retries met in an <see cref="AggregateException"/>.</summary>
    public static bool IsTransient(Exception exception) =>
        exception is RequestFailedException or HttpRequestException or IOException or TaskCanceledException
        || (exception is AggregateException aggregate && aggregate.InnerExceptions.All(IsTransient));

    /// <summary>The error in a line.</summary>
    public static string Sentence(Exception exception) =>
        (exception is AggregateException { InnerException: { } inner } ? inner : exception).Message.Split('\n')[0].Trim();
}
