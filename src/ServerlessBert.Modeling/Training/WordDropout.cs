namespace ServerlessBert.Modeling;

/// <summary>
/// Leaves tokens of a review out while it is learned from, others in each pass (Iyyer et al. 2015, "Deep Unordered
/// Composition Rivals Syntactic Methods for Text Classification", section 3.2): a model of few reviews cannot rely on any one
/// word. Shorter rows are less work, too.
/// </summary>
public static class WordDropout
{
    /// <summary>The row without each of its tokens with probability <paramref name="rate"/>; the first and the last, [CLS] and [SEP], stay.</summary>
    /// <param name="ids">The row; it is not changed.</param>
    /// <param name="rate">From 0 to below 1.</param>
    /// <param name="random">Source of the choice: the same state gives the same row.</param>
    public static int[] Of(int[] ids, double rate, Random random) =>
        rate == 0 ? ids : [.. ids.Where((_, position) => position == 0 || position == ids.Length - 1 || random.NextDouble() >= rate)];
}
