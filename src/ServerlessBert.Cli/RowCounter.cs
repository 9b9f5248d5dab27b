using System.Diagnostics;
using Spectre.Console;

namespace ServerlessBert.Cli;

/// <summary>Rows done and rows a second, while a file is worked on; silent where nobody watches.</summary>
internal static class RowCounter
{
    public static Task<T> ShowAsync<T>(Func<Action<long>, Task<T>> work)
    {
        if (!Terminal.IsWatched) return work(_ => { });
        long start = Stopwatch.GetTimestamp();
        return Terminal.Remarks.Status().StartAsync("reading", context =>
            work(rows => context.Status($"{rows:N0} rows, {rows / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} a second")));
    }
}
