namespace ServerlessBert.Modeling;

/// <summary>A few of many rows: the tutorial's <c>shuffle(seed=42).select(range(1000))</c>.</summary>
public static class RowSubset
{
    /// <summary>Rows drawn without replacement, in the order drawn; all of them, as they are, where there are no more than <paramref name="count"/>.</summary>
    /// <param name="rows">What to draw from.</param>
    /// <param name="count">How many to draw; null takes all.</param>
    /// <param name="seed">The same seed draws the same rows (not those that Python draws with it).</param>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> rows, int? count, int seed)
    {
        if (count is null || rows.Count <= count) return rows;
        T[] shuffled = [.. rows];
        new Random(seed).Shuffle(shuffled);
        return shuffled[..count.Value];
    }
}
