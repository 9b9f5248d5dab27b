namespace ServerlessBert.Modeling.Inference;

/// <summary>
/// How reviews are cut into forward passes of about equal work: as many passes as workers, or twice or three times as
/// many, so that none is left to wait for the last.
/// </summary>
/// <param name="Passes">Indices of each pass's reviews.</param>
/// <param name="Together">Whether all workers compute the one pass there is, since its reviews cannot be shared out evenly.</param>
internal sealed record PassPlan(IReadOnlyList<int[]> Passes, bool Together)
{
    // How much longer than the mean the largest of the passes may be before all workers share one.
    private const double MaxImbalance = 1.15;

    /// <summary>Cuts reviews into passes.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="tokenBudget">Tokens of one pass, about.</param>
    /// <param name="workers">How many workers there are.</param>
    public static PassPlan Create(IReadOnlyList<int> lengths, int tokenBudget, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenBudget, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        if (lengths.Count == 0) return new PassPlan([], Together: false);
        long tokens = lengths.Sum(length => (long)length), round = (long)tokenBudget * workers;
        int count = (int)Math.Min(lengths.Count, (tokens + round - 1) / round * workers);
        int[][] passes = Share(lengths, count);
        bool isOneRound = tokens <= round && workers > 1;
        return isOneRound && passes.Max(pass => pass.Sum(index => lengths[index])) > MaxImbalance * tokens / workers
            ? new PassPlan([[.. Enumerable.Range(0, lengths.Count)]], Together: true)
            : new PassPlan(passes, Together: false);
    }

    // The longest review first, each to the pass that has the fewest tokens.
    private static int[][] Share(IReadOnlyList<int> lengths, int count)
    {
        var passes = new List<int>[count];
        var fewest = new PriorityQueue<int, (long Tokens, int Pass)>(count);
        for (int pass = 0; pass < count; pass++)
        {
            passes[pass] = [];
            fewest.Enqueue(pass, (0, pass));
        }
        foreach (int review in Enumerable.Range(0, lengths.Count).OrderByDescending(index => lengths[index]).ThenBy(index => index))
        {
            fewest.TryDequeue(out int pass, out (long Tokens, int Pass) load);
            passes[pass].Add(review);
            fewest.Enqueue(pass, (load.Tokens + lengths[review], pass));
        }
        return [.. passes.Select(pass => pass.ToArray()).OrderByDescending(pass => pass.Sum(index => (long)lengths[index]))];
    }
}
