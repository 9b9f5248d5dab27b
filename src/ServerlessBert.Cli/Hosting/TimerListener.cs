using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.Cli.Hosting;

/// <summary>Runs a function by its schedule, never beside itself: a run that takes longer than the pause skips what it missed.</summary>
internal sealed class TimerListener(
    string function,
    TimerSchedule schedule,
    bool runOnStartup,
    Func<TimerInfo, CancellationToken, Task> handle,
    ILogger logger) : IHostedService, IDisposable
{
    // Task.Delay takes no longer one; a schedule of years wakes in between.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource aborting = new();
    private Task running = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Waits for a run under way; when the token ends that, cancels it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        using (cancellationToken.Register(aborting.Cancel)) await running;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    private async Task RunAsync()
    {
        DateTimeOffset last = DateTimeOffset.UtcNow;
        if (runOnStartup) await InvokeAsync(last, schedule.Next(last));
        while (!stopping.IsCancellationRequested && schedule.Next(DateTimeOffset.UtcNow) is { } next)
        {
            if (!await WaitUntilAsync(next)) return;
            await InvokeAsync(last, schedule.Next(next));
            last = next;
        }
    }

    private async Task<bool> WaitUntilAsync(DateTimeOffset moment)
    {
        for (TimeSpan left; (left = moment - DateTimeOffset.UtcNow) > TimeSpan.Zero && !stopping.IsCancellationRequested;)
            await Task.Delay(left < LongestDelay ? left : LongestDelay, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !stopping.IsCancellationRequested;
    }

    private async Task InvokeAsync(DateTimeOffset last, DateTimeOffset? next)
    {
        var status = new ScheduleStatus { Last = last.UtcDateTime, Next = next?.UtcDateTime ?? default, LastUpdated = DateTime.UtcNow };
        try
        {
            await handle(new TimerInfo { ScheduleStatus = status }, aborting.Token);
        }
        catch (OperationCanceledException) when (aborting.IsCancellationRequested)
        {
            // The host stops; the next start runs it again.
        }
        catch (Exception exception)
        {
            HostLog.FunctionFailed(logger, function, exception.Message, StorageErrors.IsTransient(exception) ? null : exception);
        }
    }
}
