namespace ServerlessBert.Pipeline.Storage;

/// <summary>A write that others may get ahead of: look, decide, write under a condition, and where it did not hold, look again.</summary>
/// <remarks>
/// Each round is lost only to a write that succeeded, so among all writers one always gets on. The delay grows and is
/// drawn by chance, so that two that met once do not meet in step. Who is outrun this often in some twenty seconds ends
/// with an error, which its queue or timer tries again: no loop is without end.
/// </remarks>
internal static class ContendedWrite
{
    private const int MaxAttempts = 14;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(20), LongestDelay = TimeSpan.FromSeconds(3);

    /// <summary>Tries until an attempt ends with a result.</summary>
    /// <param name="blob">What is written, for the error.</param>
    /// <param name="attempt">One round: looks, decides and writes; null when somebody wrote in between.</param>
    /// <param name="cancellationToken">Ends the attempts.</param>
    /// <exception cref="IOException">Others were always ahead.</exception>
    public static async Task<T> RetryAsync<T>(string blob, Func<Task<T?>> attempt, CancellationToken cancellationToken)
        where T : class
    {
        var delay = FirstDelay;
        for (int count = 1; ; count++)
        {
            if (await attempt() is { } result) return result;
            if (count == MaxAttempts) throw new IOException($"{blob} was changed by others {count} times in a row; try again.");
            await Task.Delay(delay * (0.5 + Random.Shared.NextDouble()), cancellationToken);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <summary>The same for a round that has no result but whether it is done.</summary>
    public static Task RetryUntilAsync(string blob, Func<Task<bool>> isDone, CancellationToken cancellationToken) =>
        RetryAsync<object>(blob, async () => await isDone() ? blob : null, cancellationToken);
}
