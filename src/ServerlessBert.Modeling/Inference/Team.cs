namespace ServerlessBert.Modeling.Inference;

/// <summary>Workers that compute one forward pass together, each its own rows, and wait for one another between steps.</summary>
/// <param name="size">How many.</param>
internal sealed class Team(int size)
{
    // A member's step takes microseconds; one that waits longer gives its core away.
    private const int SpinsBeforeYield = 2_000;

    private int waiting;
    private volatile int steps;
    private volatile bool failed;

    /// <summary>How many.</summary>
    public int Size => size;

    /// <summary>Waits until every member has come so far.</summary>
    /// <exception cref="InvalidOperationException">Another member failed, and will not come.</exception>
    public void Sync()
    {
        if (size == 1) return;
        int step = steps;
        if (Interlocked.Increment(ref waiting) == size)
        {
            waiting = 0;
            steps = step + 1;
            return;
        }
        for (int spins = 0; steps == step; spins++)
        {
            if (failed) throw new InvalidOperationException("Another worker of the same forward pass failed.");
            if (spins < SpinsBeforeYield) Thread.SpinWait(10);
            else Thread.Yield();
        }
    }

    /// <summary>Lets those that wait fail too.</summary>
    public void Fail() => failed = true;
}

/// <summary>A worker's place in a team.</summary>
/// <param name="Team">Whom it computes with.</param>
/// <param name="Rank">0 to the team's size - 1.</param>
/// <param name="Worker">Its number among <see cref="InferenceWorkers"/>.</param>
internal readonly record struct TeamMember(Team Team, int Rank, int Worker)
{
    /// <summary>The part of <paramref name="count"/> rows or reviews that is this member's.</summary>
    /// <param name="count">All of them.</param>
    /// <param name="multiple">What parts begin at a multiple of.</param>
    public (int From, int To) Share(int count, int multiple)
    {
        int blocks = (count + multiple - 1) / multiple;
        return (Math.Min(count, blocks * Rank / Team.Size * multiple), Math.Min(count, blocks * (Rank + 1) / Team.Size * multiple));
    }
}
