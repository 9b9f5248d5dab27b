namespace ServerlessBert.Functions.Reviews;

/// <summary>
/// What a stopping host leaves to the functions in hand. The Functions host cancels every invocation's token as soon as it is told to
/// stop, though it waits for them: obeyed at once, each stop would cost what is being classified, and one of its attempts.
/// </summary>
/// <param name="Period">From the host's word to the end of the work; a batch takes less by design.</param>
public sealed record InvocationGrace(TimeSpan Period)
{
    /// <summary>For the Functions host, which waits for 30 seconds.</summary>
    public static InvocationGrace OfFunctionsHost { get; } = new(TimeSpan.FromSeconds(20));

    /// <summary>Does the work with a token that is cancelled later than the host's own.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="stopping">The host's word that it stops.</param>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var ending = new CancellationTokenSource();
        await using CancellationTokenRegistration stop = stopping.Register(() => ending.CancelAfter(Period));
        await work(ending.Token);
    }
}
