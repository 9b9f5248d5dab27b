using System.Diagnostics;

namespace ServerlessBert.Pipeline.Storage;

/// <summary>Keeps something that storage lends for a time: a blob's lease, a queue message's invisibility.</summary>
/// <remarks>
/// <para>
/// Concurrency. Storage lends to one at a time, until the duration after the last renewal that it has carried out. This
/// side counts the duration from before a renewal is sent, so it never believes to hold longer than storage does: until
/// <see cref="Lost"/> is cancelled, nobody else has it.
/// </para>
/// <para>
/// One renewal is under way at a time, and ending waits for it: a message's receipt changes with each renewal, and the
/// last one alone may delete it. The loop outlives every exception of a renewal; only a refusal, which says that another
/// has it now, and the end of the holding end the loop.
/// </para>
/// </remarks>
public sealed class RenewedLease : IAsyncDisposable
{
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(5);

    private readonly RenewedLeaseOptions _options;
    private readonly Func<CancellationToken, Task> _renew;
    private readonly CancellationTokenSource _lost = new(), _ending = new(), _abandoned = new();
    private readonly Task _renewing;

    /// <summary>Begins to renew what was lent just now.</summary>
    /// <param name="options">Times, and what failures mean.</param>
    /// <param name="renew">Renews once.</param>
    /// <param name="taken">The <see cref="Stopwatch.GetTimestamp"/> from before it was asked for; null takes now.</param>
    public RenewedLease(RenewedLeaseOptions options, Func<CancellationToken, Task> renew, long? taken = null)
    {
        (_options, _renew) = (options, renew);
        _renewing = Task.Run(() => RenewAsync(taken ?? Stopwatch.GetTimestamp()));
    }

    /// <summary>Cancelled when it is not held for certain any more: refused, or not renewed for as long as it was lent.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Stops renewing, after a renewal under way. What was lent runs out by itself.</summary>
    public async Task StopAsync()
    {
        await _ending.CancelAsync();
        _abandoned.CancelAfter(TimeToEnd);
        await _renewing;
    }

    /// <summary>Stops renewing.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _lost.Dispose();
        _ending.Dispose();
        _abandoned.Dispose();
    }

    private async Task RenewAsync(long held)
    {
        try
        {
            while (await WaitAsync(held))
            {
                long asked = Stopwatch.GetTimestamp();
                try
                {
                    await RenewOnceAsync();
                    held = asked;
                }
                catch (Exception exception)
                {
                    bool isRefused = _options.IsRefused(exception);
                    _options.OnFailure(exception, isRefused);
                    if (isRefused) break;
                }
            }
            if (!_ending.IsCancellationRequested) await _lost.CancelAsync();
        }
        catch
        {
            // A bug of the caller's own observers: it is told when the holding ends, and what is not renewed is not held.
            await _lost.CancelAsync();
            throw;
        }
    }

    // Silence for as long as it was lent is a loss, but no reason to stop asking: nobody may have taken it.
    private async Task<bool> WaitAsync(long held)
    {
        TimeSpan left = _options.Duration - Stopwatch.GetElapsedTime(held);
        if (left <= TimeSpan.Zero) await _lost.CancelAsync();
        TimeSpan wait = left <= TimeSpan.Zero || left > _options.Interval ? _options.Interval : left;
        await Task.Delay(wait, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ending.IsCancellationRequested;
    }

    private async Task RenewOnceAsync()
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(_abandoned.Token);
        time.CancelAfter(_options.Duration);
        await _renew(time.Token);
    }
}

/// <summary>How a lease is renewed.</summary>
public sealed record RenewedLeaseOptions
{
    /// <summary>How long storage lends it with each renewal.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How often it is renewed: a third of the duration lets two renewals fail.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Whether a failure says that another has it now.</summary>
    public required Func<Exception, bool> IsRefused { get; init; }

    /// <summary>Told of each renewal that failed, and whether that was a refusal.</summary>
    public Action<Exception, bool> OnFailure { get; init; } = (_, _) => { };
}
