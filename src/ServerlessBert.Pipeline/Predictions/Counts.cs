namespace ServerlessBert.Pipeline.Predictions;

/// <summary>Counts by a key, always in the keys' order, so that equal counts are written equally.</summary>
internal static class Counts
{
    /// <summary>How often each value is there.</summary>
    public static Dictionary<T, long> Of<T>(IEnumerable<T> values)
        where T : notnull => values.GroupBy(value => value).ToDictionary(group => group.Key, group => group.LongCount());

    /// <summary>The counts of both.</summary>
    public static Dictionary<T, long> Sum<T>(IReadOnlyDictionary<T, long> left, IReadOnlyDictionary<T, long> right)
        where T : notnull => left.Concat(right).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value));

    /// <summary>The same counts in order.</summary>
    public static SortedDictionary<T, long> Sorted<T>(IEnumerable<KeyValuePair<T, long>> counts, IComparer<T> order)
        where T : notnull => new(counts.ToDictionary(), order);
}
