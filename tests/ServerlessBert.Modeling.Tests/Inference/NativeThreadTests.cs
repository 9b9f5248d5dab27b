using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Tests.Inference;

public sealed class NativeThreadTests
{
    [Fact]
    public async Task Whoever_asks_is_answered_by_one_and_the_same_thread()
    {
        int[] threads = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => Task.Run(() => NativeThread.Run(() => Environment.CurrentManagedThreadId))));

        Assert.Single(threads.Distinct());
        Assert.NotEqual(Environment.CurrentManagedThreadId, threads[0]);
    }

    [Fact]
    public void Work_that_asks_for_more_work_is_not_waited_for_by_itself() =>
        Assert.Equal(3, NativeThread.Run(() => NativeThread.Run(() => 3)));

    [Fact]
    public void What_is_thrown_there_is_thrown_here_and_the_thread_lives_on()
    {
        var exception = Assert.Throws<InvalidDataException>(() => NativeThread.Run(() => throw new InvalidDataException("not a model")));

        Assert.Equal("not a model", exception.Message);
        Assert.Equal(4, NativeThread.Run(() => 4));
    }

    [Fact]
    public void What_is_posted_is_done_before_what_is_asked_for_next()
    {
        using var goOn = new ManualResetEventSlim();
        bool done = false;
        NativeThread.Post(() => goOn.Wait(TimeSpan.FromSeconds(10)));
        NativeThread.Post(() => done = true);
        Assert.False(done);
        goOn.Set();

        Assert.True(NativeThread.Run(() => done));
    }

    [Fact]
    public async Task Work_takes_turns()
    {
        int running = 0, most = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => NativeThread.Run(() =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            Thread.Sleep(5);
            Interlocked.Decrement(ref running);
        }))));

        Assert.Equal(1, most);
    }
}
