using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// Whether this host can do batches. One that cannot, because it cannot get or load a model or does not reach storage,
/// gives its messages back and holds the invocations until it asks again: so the queue hands it no more of them, and a
/// healthy host beside it does the work.
/// </summary>
public sealed class HostReadiness(RunOptions options, TimeProvider time, ILogger<HostReadiness> logger)
{
    private const int LongestDelay = 12;

    private readonly Lock _lock = new();
    private HostTrouble? _trouble;
    private TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why this host takes no batches; null where it takes them.</summary>
    public HostTrouble? Trouble
    {
        get
        {
            lock (_lock) return _trouble;
        }
    }

    /// <summary>Whether it is too early to ask again.</summary>
    internal bool IsHolding
    {
        get
        {
            lock (_lock) return _trouble is { } trouble && time.GetUtcNow() < trouble.AsksAgain;
        }
    }

    /// <summary>Something failed that is the host's own. The delay doubles with each time.</summary>
    internal void Failed(string reason)
    {
        bool isNewError;
        HostTrouble trouble;
        lock (_lock)
        {
            int failures = (_trouble?.Failures ?? 0) + 1;
            TimeSpan delay = options.HostRetryDelay * Math.Min(Math.Pow(2, failures - 1), LongestDelay);
            var now = time.GetUtcNow();
            isNewError = _trouble?.Reason != reason;
            _trouble = trouble = new HostTrouble(reason, _trouble?.Since ?? now, failures, now + delay);
        }
        if (isNewError) logger.HostUnable(reason, trouble.AsksAgain);
    }

    /// <summary>A batch was done.</summary>
    internal void Succeeded()
    {
        TaskCompletionSource recovered;
        lock (_lock)
        {
            if (_trouble is null) return;
            _trouble = null;
            (recovered, _recovered) = (_recovered, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        logger.HostAbleAgain();
        recovered.TrySetResult();
    }

    /// <summary>Waits until the host may ask again, or can do batches after all.</summary>
    internal async Task HoldAsync(CancellationToken cancellationToken)
    {
        Task recovered;
        TimeSpan delay;
        lock (_lock)
        {
            if (_trouble is null) return;
            (recovered, delay) = (_recovered.Task, _trouble.AsksAgain - time.GetUtcNow());
        }
        if (delay <= TimeSpan.Zero) return;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(recovered, Task.Delay(delay, ended.Token));
        await ended.CancelAsync();
    }
}

/// <summary>Why a host takes no batches.</summary>
/// <param name="Reason">What it cannot do, in a sentence.</param>
/// <param name="Since">When it could not for the first time.</param>
/// <param name="Failures">How often it has tried since.</param>
/// <param name="AsksAgain">When it tries again.</param>
public sealed record HostTrouble(string Reason, DateTimeOffset Since, int Failures, DateTimeOffset AsksAgain);
