using ServerlessBert.Functions.Reviews;

namespace ServerlessBert.Functions.Tests;

public sealed class InvocationGraceTests
{
    [Fact]
    public async Task What_is_in_hand_is_finished_though_the_host_cancels_at_once()
    {
        using var stopping = new CancellationTokenSource();
        bool isFinished = false;

        await new InvocationGrace(TimeSpan.FromSeconds(20)).RunAsync(async token =>
        {
            await stopping.CancelAsync();
            await Task.Delay(200, token);
            isFinished = true;
        }, stopping.Token);

        Assert.True(isFinished);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    public async Task What_takes_longer_than_the_grace_is_cancelled(int milliseconds)
    {
        using var stopping = new CancellationTokenSource();
        await stopping.CancelAsync();

        Task work = new InvocationGrace(TimeSpan.FromMilliseconds(milliseconds))
            .RunAsync(token => Task.Delay(Timeout.Infinite, token), stopping.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work.WaitAsync(TimeSpan.FromSeconds(10)));
    }
}
