using Polly;
using Polly.Retry;

namespace ServerlessBert.Cli.Hub;

/// <summary>Repeats what fails in passing: after the time that the server names, else after waits that double.</summary>
/// <param name="options">How often and how long.</param>
/// <param name="say">Where each repetition is told.</param>
internal sealed class HubRetry(HubOptions options, Action<string> say)
{
    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<HubException>(fault => fault.IsPassing && !(fault.RetryAfter > options.LongestWait)),
            MaxRetryAttempts = options.Retries,
            Delay = options.FirstDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            DelayGenerator = attempt => ValueTask.FromResult((attempt.Outcome.Exception as HubException)?.RetryAfter),
            OnRetry = attempt =>
            {
                say($"{attempt.Outcome.Exception!.Message}; trying again in {attempt.RetryDelay.TotalSeconds:N1} s ({attempt.AttemptNumber + 1} of {options.Retries})");
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>Does <paramref name="work"/> until it succeeds, fails for good, or has failed too often.</summary>
    /// <exception cref="HubException">It failed.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await pipeline.ExecuteAsync(async token => await work(token), cancellationToken);
        }
        catch (HubException fault) when (fault.IsPassing)
        {
            string wait = fault.RetryAfter is { } asked ? $" in {asked.TotalSeconds:N0} s" : " later";
            throw new HubException($"{fault.Message}; what was fetched is kept, run the same command again{wait}.", fault) { Status = fault.Status };
        }
    }
}
