using System.Xml;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Testing;

namespace ServerlessBert.Pipeline.Tests.Storage;

public sealed class RenewedLeaseTests
{
    private static readonly RenewedLeaseOptions Options = new()
    {
        Duration = TimeSpan.FromMinutes(5),
        Interval = TimeSpan.FromMilliseconds(5),
        IsRefused = exception => exception is UnauthorizedAccessException,
    };

    [Fact]
    public async Task Renewals_outlive_every_exception()
    {
        Exception[] failures = [new XmlException("<html>"), new InvalidOperationException("odd"), new TaskCanceledException("timeout"),
            new OutOfMemoryException()];
        int calls = 0;
        var told = new List<Exception>();
        await using var lease = new RenewedLease(Options with { OnFailure = (exception, _) => told.Add(exception) }, _ =>
        {
            int call = Interlocked.Increment(ref calls);
            return call <= failures.Length ? throw failures[call - 1] : Task.CompletedTask;
        });
        await Eventually.IsTrueAsync(() => Volatile.Read(ref calls) > failures.Length + 2);
        Assert.False(lease.Lost.IsCancellationRequested);
        await lease.StopAsync();
        Assert.Equal(failures, told);
    }

    [Fact]
    public async Task A_refusal_loses_it_and_ends_the_renewals()
    {
        int calls = 0;
        await using var lease = new RenewedLease(Options, _ =>
            Interlocked.Increment(ref calls) == 3 ? throw new UnauthorizedAccessException() : Task.CompletedTask);
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested);
        await lease.StopAsync();
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Silence_for_as_long_as_it_was_lent_loses_it_but_is_asked_on()
    {
        int calls = 0, callsWhenLost = int.MaxValue;
        await using var lease = new RenewedLease(Options with { Duration = TimeSpan.FromMilliseconds(100) }, _ =>
        {
            Interlocked.Increment(ref calls);
            throw new IOException("away");
        });
        lease.Lost.Register(() => callsWhenLost = Volatile.Read(ref calls));
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested);
        await Eventually.IsTrueAsync(() => Volatile.Read(ref calls) > callsWhenLost + 2);
    }

    [Fact]
    public async Task Ending_waits_for_the_renewal_under_way_and_begins_no_other()
    {
        var began = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        int receipts = 0;
        var lease = new RenewedLease(Options, async _ =>
        {
            began.TrySetResult();
            await goOn.Task;
            receipts++;
        });
        await began.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Task ending = lease.StopAsync();
        await Task.Delay(50);
        Assert.False(ending.IsCompleted);
        goOn.SetResult();
        await ending.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(1, receipts);
        Assert.False(lease.Lost.IsCancellationRequested);
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task An_observer_that_throws_loses_it_and_is_told_at_the_end()
    {
        var lease = new RenewedLease(Options with { OnFailure = (_, _) => throw new FormatException("a bug") }, _ =>
            throw new IOException("away"));
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<FormatException>(lease.StopAsync);
    }
}
