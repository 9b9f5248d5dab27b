using System.Diagnostics;
using System.Globalization;
using ServerlessBert.Pipeline.Predictions;
using Spectre.Console;

namespace ServerlessBert.Cli.Output;

/// <summary>A file's counts in a few lines on standard error.</summary>
internal static class StatisticsTable
{
    public static void Show(BatchStatistics statistics, TimeSpan elapsed, string dtype)
    {
        Terminal.Log(string.Create(CultureInfo.InvariantCulture,
            $"{Count.Of(statistics.Rows, "row")}, {Count.Of(statistics.Predictions, "prediction")} in {elapsed.TotalSeconds:0.0} s: "
                + $"{statistics.Predictions / elapsed.TotalSeconds:0} reviews/s, {statistics.Tokens / elapsed.TotalSeconds:N0} "
                    + $"tokens/s ({dtype})"));
        foreach (string line in Lines(statistics)) Terminal.Log(line);
    }

    public static IEnumerable<string> Lines(BatchStatistics statistics)
    {
        if (statistics.Predictions > 0)
            yield return string.Join(
                "  ", Enumerable.Range(1, Math.Max(5, statistics.Stars.Keys.Max()))
                .Select(stars => $"{stars}★ {statistics.Stars.GetValueOrDefault(stars):N0}"));
        if (statistics.Labelled > 0)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"accuracy {(double)statistics.Correct / statistics.Labelled:0.000} on "
                    + $"{Count.Of(statistics.Labelled, "labelled row")}, "
                        + $"{(double)statistics.AbsoluteErrorSum / statistics.Labelled:0.00} stars off on average");
        if (statistics.Truncated > 0) yield return $"longer than the model's maximum, and cut: {Count.Of(statistics.Truncated, "review")}";
        if (statistics.InvalidUtf8 > 0) yield return $"replaced: {Count.Of(statistics.InvalidUtf8, "invalid UTF-8 sequence")}";
        foreach ((string code, long count) in statistics.Errors) yield return $"{Count.Of(count, "row")} with error {code}";
    }
}

/// <summary>Rows done and rows a second, while a file is worked on; silent where nobody watches.</summary>
internal static class RowCounter
{
    public static Task<T> ShowAsync<T>(Func<Action<long>, Task<T>> work)
    {
        if (!Terminal.IsWatched) return work(_ => { });
        long start = Stopwatch.GetTimestamp();
        return Terminal.Errors.Status().StartAsync("reading", context =>
            work(rows => context.Status($"{Count.Of(rows, "row")}, {rows / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} a second")));
    }
}
