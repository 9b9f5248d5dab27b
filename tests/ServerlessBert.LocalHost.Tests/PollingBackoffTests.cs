using CsCheck;

namespace ServerlessBert.LocalHost.Tests;

public sealed class PollingBackoffTests
{
    [Fact]
    public void Pauses_double_up_to_the_longest_and_begin_anew_after_a_message() => Gen.Int[100, 100_000].Sample(milliseconds =>
    {
        var longest = TimeSpan.FromMilliseconds(milliseconds);
        var backoff = new PollingBackoff(longest);
        TimeSpan[] pauses = [.. Enumerable.Range(0, 20).Select(_ => backoff.Next())];
        Assert.Equal(TimeSpan.FromMilliseconds(100), pauses[0]);
        Assert.All(pauses.Zip(pauses.Skip(1)),
            pair => Assert.Equal(TimeSpan.FromTicks(Math.Min(pair.First.Ticks * 2, longest.Ticks)), pair.Second));
        Assert.Equal(longest, pauses[^1]);
        backoff.Reset();
        Assert.Equal(pauses[0], backoff.Next());
    });
}
