using System.Collections.Concurrent;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using ServerlessBert.Testing;

namespace ServerlessBert.LocalHost.Tests;

public sealed class TimerTests
{
    private static readonly IConfiguration Settings = new ConfigurationBuilder()
        .AddInMemoryCollection([KeyValuePair.Create("Often", (string?)"*/10 * * * * *")]).Build();

    [Theory]
    [InlineData("*/10 * * * * *", "2026-03-01T10:00:10Z")]
    [InlineData("%Often%", "2026-03-01T10:00:10Z")]
    [InlineData("0 30 9 * * MON-FRI", "2026-03-02T09:30:00Z")]
    [InlineData("*/5 * * * *", "2026-03-01T10:05:00Z")]
    [InlineData("00:00:07", "2026-03-01T10:00:10Z")]
    public void The_next_run_follows_the_expression_in_UTC(string expression, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next),
            TimerSchedule.Parse("F", expression, Settings).Next(DateTimeOffset.Parse("2026-03-01T10:00:03Z")));

    [Theory]
    [InlineData("%Seldom%", "Seldom, which is not set")]
    [InlineData("every day", "\"every day\" of F")]
    [InlineData("99 * * * * *", "\"99 * * * * *\" of F")]
    [InlineData("-00:00:01", "\"-00:00:01\" of F")]
    public void A_schedule_that_cannot_be_read_is_said_with_its_function(string expression, string reason)
    {
        var exception = Assert.Throws<HostStartException>(() => TimerSchedule.Parse("F", expression, Settings));
        Assert.Contains(reason, exception.Message);
    }

    [Fact]
    public async Task A_timer_fires_and_knows_its_next_run()
    {
        var runs = new ConcurrentQueue<TimerInfo>();
        await RunAsync("* * * * * *", runOnStartup: false, (timer, _) => { runs.Enqueue(timer); return Task.CompletedTask; },
            () => runs.Count >= 2);
        ScheduleStatus[] status = [.. runs.Select(run => run.ScheduleStatus!)];
        Assert.Equal(TimeSpan.FromSeconds(1), status[0].Next - status[1].Last);
        Assert.Equal(TimeSpan.FromSeconds(1), status[1].Next - status[0].Next);
    }

    [Fact]
    public async Task RunOnStartup_runs_before_the_first_scheduled_time()
    {
        int runs = 0;
        await RunAsync("0 0 0 1 1 *", runOnStartup: true, (_, _) => { runs++; return Task.CompletedTask; }, () => runs == 1);
    }

    [Fact]
    public async Task A_timer_never_runs_beside_itself_and_outlives_a_failure()
    {
        int now = 0, most = 0, runs = 0;
        await RunAsync("00:00:00.1000000", runOnStartup: false, async (_, cancellationToken) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await Task.Delay(250, cancellationToken);
            Interlocked.Decrement(ref now);
            runs++;
            throw new InvalidOperationException("cannot");
        }, () => runs >= 3);
        Assert.Equal(1, most);
    }

    private static async Task RunAsync(
        string schedule, bool runOnStartup, Func<TimerInfo, CancellationToken, Task> handle, Func<bool> until)
    {
        using var listener =
            new TimerListener("F", TimerSchedule.Parse("F", schedule, Settings), runOnStartup, handle, NullLogger.Instance);
        await listener.StartAsync(default);
        await Eventually.IsTrueAsync(until);
        await listener.StopAsync(default);
    }
}
