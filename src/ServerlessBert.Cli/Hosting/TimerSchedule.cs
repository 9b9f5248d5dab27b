using System.Globalization;
using Cronos;
using Microsoft.Extensions.Configuration;

namespace ServerlessBert.Cli.Hosting;

/// <summary>When a timer runs: an NCRONTAB expression of six fields (or five, without seconds) in UTC, or an interval such as <c>00:05:00</c>.</summary>
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
                $"The schedule \"{resolved}\" of {function} is neither an NCRONTAB expression such as \"0 */5 * * * *\" nor an interval such as 00:05:00: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>The first run after a moment, or null when there is none any more.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => next(after);

    private static string Resolve(string function, string expression, IConfiguration configuration)
    {
        if (expression is not ['%', .. var name, '%']) return expression;
        return configuration[name] is { Length: > 0 } value
            ? value
            : throw new HostStartException($"{function} runs by the setting {name}, which is not set; set it to an NCRONTAB expression such as \"0 */5 * * * *\".");
    }
}
