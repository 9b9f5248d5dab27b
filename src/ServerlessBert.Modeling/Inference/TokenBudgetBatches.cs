namespace ServerlessBert.Modeling;

/// <summary>Groups reviews of like length into passes, so that little of a pass is padding.</summary>
public static class TokenBudgetBatches
{
    /// <summary>
    /// Indices by descending length, cut where count × longest would pass the budget. A review longer than the budget
    /// stands alone. The longest come first, so that memory reaches its peak at once.
    /// </summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="tokenBudget">Most tokens in one pass, padding included; at least 1.</param>
    public static IEnumerable<int[]> Group(IReadOnlyList<int> lengths, int tokenBudget)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenBudget, 1);
        int[] order = [.. Enumerable.Range(0, lengths.Count).OrderByDescending(index => lengths[index]).ThenBy(index => index)];
        for (int start = 0; start < order.Length;)
        {
            int longest = Math.Max(1, lengths[order[start]]);
            int count = Math.Clamp(tokenBudget / longest, 1, order.Length - start);
            yield return order[start..(start + count)];
            start += count;
        }
    }
}
