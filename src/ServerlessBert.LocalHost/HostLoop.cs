using Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>
/// A loop that runs as long as the host: it outlives whatever a round throws, which is logged and followed by a delay that doubles
/// up to half a minute. Only cancellation ends it. Where it cannot go on even so, its task fails, and the host ends with an error.
/// </summary>
/// <param name="name">What the log calls it.</param>
/// <param name="logger">Where failed rounds are logged.</param>
internal abstract class HostLoop(string name, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan MinRetryDelay = TimeSpan.FromSeconds(1), MaxRetryDelay = TimeSpan.FromSeconds(30);

    /// <summary>What the log calls it.</summary>
    protected string Name => name;

    /// <summary>Where it logs.</summary>
    protected ILogger Logger => logger;

    /// <summary>One round.</summary>
    /// <returns>The delay before the next one.</returns>
    protected abstract Task<TimeSpan> RoundAsync(CancellationToken stoppingToken);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan retryDelay = MinRetryDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan delay;
            try
            {
                delay = await RoundAsync(stoppingToken);
                retryDelay = MinRetryDelay;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                HostLog.RoundFailed(
                    logger, name, retryDelay.TotalSeconds, StorageErrors.Sentence(exception), StorageErrors.IsTransient(exception) ? null
                    : exception);
                delay = retryDelay;
                retryDelay = retryDelay * 2 < MaxRetryDelay ? retryDelay * 2 : MaxRetryDelay;
            }
            if (delay > TimeSpan.Zero) await Task.Delay(delay, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

/// <summary>What the storage clients throw when an account does not answer or refuses.</summary>
internal static class StorageErrors
{
    /// <summary>
    /// Whether a later attempt may succeed; the clients wrap what their own retries met in an <see cref="AggregateException"/>.
    /// </summary>
    public static bool IsTransient(Exception exception) =>
        exception is RequestFailedException or HttpRequestException or IOException or TaskCanceledException
        || (exception is AggregateException aggregate && aggregate.InnerExceptions.All(IsTransient));

    /// <summary>The error in a line.</summary>
    public static string Sentence(Exception exception) =>
        (exception is AggregateException { InnerException: { } inner } ? inner : exception).Message.Split('\n')[0].Trim();
}
