using System.Net;

namespace ServerlessBert.Cli.Hub;

/// <summary>
/// A model that cannot be fetched; the message is one sentence: what, where, what to do. Of a fault that passes, the
/// message is its first half, for <see cref="HubRetry"/> to go on with.
/// </summary>
internal sealed class HubException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Whether the same request may succeed a little later.</summary>
    public bool IsPassing { get; init; }

    /// <summary>How long the server asks to wait, where it says so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The status that was answered, if there was an answer.</summary>
    public HttpStatusCode? Status { get; init; }
}
