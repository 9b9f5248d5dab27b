using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>
/// What a month costs, from the document's unit prices, the template's sizes and rules, and the speed that the benchmarks
/// measured. Every assumption that is neither stands here by name, and in the document.
/// </summary>
internal sealed record MonthlyCost(IReadOnlyDictionary<string, decimal> Prices)
{
    private const decimal Days = 30;
    private const decimal FilesADay = 1;
    private const decimal StartSeconds = 60;
    private const decimal SecondsUntilSleep = 300; // the platform's cool-down
    private const decimal WakesADay = 4; // wakeStart
    private const decimal WakeSeconds = 120; // wakeStart to wakeEnd
    private const decimal FreeVcpuSeconds = 180_000;
    private const decimal FreeGibSeconds = 360_000;
    private const decimal TrainingsAMonth = 52m / 12;
    private const decimal BlobWritesABatch = 3;
    private const decimal LogGigabytesABatch = 6 * 1.5e-6m;
    private const decimal GigabytesAReview = 1e-6m; // the review and its prediction
    private const decimal Vcpus = 4;
    private const decimal Gibs = 8;

    private static readonly JsonElement Measured =
        JsonDocument.Parse(Repository.Read("benchmarks", "results", "inference.json")).RootElement;

    /// <summary>Seconds that the timers alone keep a replica for.</summary>
    public static decimal TimerSeconds => Days * WakesADay * (WakeSeconds + SecondsUntilSleep);

    /// <summary>A second of one replica of the functions.</summary>
    public decimal ReplicaSecond => Vcpus * Price("vCPU, a second while active") + Gibs * Price("GiB of memory, a second while active");

    public decimal Registry => Days * Price("registry, Basic, a day");

    public decimal Alerts => Template("alerts").Variable("rules").GetArrayLength() * Price("log alert of 15 minutes, a month")
        + Template("alerts").Resources("Microsoft.Insights/metricAlerts").Length * Price("metric alert, a month");

    public decimal IdleLogs => 0.1m * Price("Log Analytics, a GB");

    public decimal IdleStorage => 2 * Price("a GB stored, a month") + 4 * 2 * 43_200 * Price("10,000 queue calls") / 10_000;

    /// <summary>All that is paid for though no file arrives, but the timers' replica.</summary>
    public decimal Idle => Registry + Alerts + IdleLogs + IdleStorage;

    public decimal TrainingHourOnT4 =>
        3600 * (8 * Price("vCPU, a second while active") + 56 * Price("GiB of memory, a second while active") + Price("T4, a second"));

    public decimal TrainingHourOnProcessors => 3600 * ReplicaSecond;

    public decimal WeeklyOnT4 => TrainingsAMonth * TrainingHourOnT4;

    public decimal WeeklyOnProcessors => TrainingsAMonth * TrainingHourOnProcessors;

    /// <summary>Reviews that one core classifies in a second, as benchmarks/results/inference.json has it.</summary>
    public static decimal ReviewsPerCoreSecond(string dtype)
    {
        decimal cores = decimal.Parse(
            Regex.Match(Measured.GetProperty("machine").GetString()!, @"(\d+) logical cores").Groups[1].Value,
            CultureInfo.InvariantCulture);
        return Measured.GetProperty("figures").GetProperty($"ServerlessBert {dtype}, reviews/s").GetDecimal() / cores;
    }

    /// <summary>Seconds of a replica that so many reviews take.</summary>
    public static decimal ReplicaSeconds(decimal reviews, string dtype) => reviews / (Vcpus * ReviewsPerCoreSecond(dtype));

    /// <summary>Seconds of replicas beyond the free ones, with the timers'.</summary>
    public decimal Compute(decimal seconds) =>
        Math.Max(0, Vcpus * seconds - FreeVcpuSeconds) * Price("vCPU, a second while active")
            + Math.Max(0, Gibs * seconds - FreeGibSeconds) * Price("GiB of memory, a second while active");

    /// <summary>Storage calls, logs and what is kept, of so many reviews.</summary>
    public decimal CallsAndLogs(decimal reviews)
    {
        decimal batches = Math.Ceiling(reviews / Rows);
        return batches * BlobWritesABatch * Price("10,000 blob writes") / 10_000
            + batches * LogGigabytesABatch * Price("Log Analytics, a GB") + reviews * GigabytesAReview * Price("a GB stored, a month");
    }

    /// <summary>A month with so many reviews, without a training.</summary>
    public decimal Month(decimal reviews, string dtype) =>
        Compute(TimerSeconds + ReplicaSeconds(reviews, dtype)
            + Days * FilesADay * WokenReplicas(reviews) * (StartSeconds + SecondsUntilSleep)) + CallsAndLogs(reviews) + Idle;

    /// <summary>Replicas that the day's file wakes: its batches by the scale rule, and no more than the limit.</summary>
    private static decimal WokenReplicas(decimal reviews)
    {
        decimal queueLength =
            decimal.Parse(Template("functions").Variable("queueRules").EnumerateArray()
            .Single(rule => rule.GetProperty("queue").GetString() == "review-batches").GetProperty("queueLength").GetString()!,
            CultureInfo.InvariantCulture);
        decimal most = Bicep.Template.Parameter("functionsMaxReplicas").GetProperty("defaultValue").GetDecimal();
        return Math.Clamp(Math.Ceiling(reviews / (Days * FilesADay) / Rows / queueLength), 1, most);
    }

    private static decimal Rows => new ServerlessBert.Reviews.ReviewOptions().BatchRows;

    private static Template Template(string module) => Bicep.Template.Module(module);

    private decimal Price(string name) => Prices[name];
}
