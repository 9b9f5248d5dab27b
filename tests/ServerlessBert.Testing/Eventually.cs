using System.Diagnostics;
using Xunit;

namespace ServerlessBert.Testing;

/// <summary>Waits for what another thread or process brings about.</summary>
public static class Eventually
{
    public static async Task IsTrueAsync(Func<Task<bool>> condition, int seconds = 20)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds; await Task.Delay(20))
            if (await condition()) return;
        Assert.Fail($"Did not come true within {seconds} s.");
    }

    public static Task IsTrueAsync(Func<bool> condition, int seconds = 20) => IsTrueAsync(() => Task.FromResult(condition()), seconds);
}
