using System.Globalization;
using Cronos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace ServerlessBert.LocalHost;

/// <summary>Runs a function by its schedule, never beside itself: a run that takes longer than the delay skips what it missed.</summary>
internal sealed class TimerListener(
    string function,
    TimerSchedule schedule,
    bool runOnStartup,
    Func<TimerInfo, CancellationToken, Task> handle,
    ILogger logger) : HostLoop(function, logger)
{
    // Task.Delay takes no longer one; a schedule of years wakes in between.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);
    private readonly CancellationTokenSource aborting = new();
    private DateTimeOffset last = DateTimeOffset.UtcNow;
    private DateTimeOffset? next = runOnStartup ? DateTimeOffset.UtcNow : schedule.Next(DateTimeOffset.UtcNow);

    /// <summary>Waits for a run under way; when the token ends that, cancels it.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration abort = cancellationToken.Register(aborting.Cancel);
        await base.StopAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        aborting.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task<TimeSpan> RoundAsync(CancellationToken stoppingToken)
    {
        if (next is not { } due) return MaxDelay;
        if (due - DateTimeOffset.UtcNow is var left && left > TimeSpan.Zero) return left < MaxDelay ? left : MaxDelay;
        DateTimeOffset before = last;
        last = due;
        try
        {
            await InvokeAsync(before, schedule.Next(due));
        }
        finally
        {
            next = schedule.Next(DateTimeOffset.UtcNow);
        }
        return TimeSpan.Zero;
    }

    private async Task InvokeAsync(DateTimeOffset before, DateTimeOffset? after)
    {
        var status = new ScheduleStatus { Last = before.UtcDateTime, Next = after?.UtcDateTime ?? default, LastUpdated = DateTime.UtcNow };
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
            HostLog.FunctionFailed(Logger, Name, exception.Message, StorageErrors.IsTransient(exception) ? null : exception);
        }
    }
}

/// <summary>
/// When a timer runs: an NCRONTAB expression of six fields (or five, without seconds) in UTC, or an interval such as
/// <c>00:05:00</c>.
/// </summary>
internal sealed class TimerSchedule
{
    private readonly Func<DateTimeOffset, DateTimeOffset?> next;

    private TimerSchedule(string expression, Func<DateTimeOffset, DateTimeOffset?> next) => (Expression, this.next) = (expression, next);

    /// <summary>The expression, settings resolved.</summary>
    public string Expression { get; }

    /// <summary>Reads an expression; <c>%Name%</c> stands for the setting of that name.</summary>
    /// <exception cref="HostStartException">The setting is missing, or the expression is none.</exception>
    public static TimerSchedule Parse(string function, string expression, IConfiguration configuration)
    {
        string resolved = Resolve(function, expression, configuration);
        if (TimeSpan.TryParseExact(resolved, "c", CultureInfo.InvariantCulture, out TimeSpan interval) && interval > TimeSpan.Zero)
            return new TimerSchedule(resolved, after => after + interval);
        try
        {
            int fields = resolved.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
            CronExpression cron = CronExpression.Parse(resolved, fields == 5 ? CronFormat.Standard : CronFormat.IncludeSeconds);
            return new TimerSchedule(resolved, after => cron.GetNextOccurrence(after, TimeZoneInfo.Utc));
        }
        catch (CronFormatException exception)
        {
            throw new HostStartException(
                $"The schedule \"{resolved}\" of {function} is neither an NCRONTAB expression such as \"0 */5 * * * *\" nor an "
                    + $"interval such as 00:05:00: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>The first run after a moment, or null when there is none any more.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => next(after);

    private static string Resolve(string function, string expression, IConfiguration configuration)
    {
        if (expression is not ['%', .. var name, '%']) return expression;
        return configuration[name] is { Length: > 0 } value
            ? value
            : throw new HostStartException(
                $"{function} runs by the setting {name}, which is not set; set it to an NCRONTAB expression such as \"0 */5 * * * *\".");
    }
}
