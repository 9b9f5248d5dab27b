using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Benchmarks.Training;

/// <summary>How much of what is computed is padding, by the way batches are made.</summary>
internal static class PaddingShares
{
    /// <summary>Shares by name, over one epoch.</summary>
    public static IReadOnlyDictionary<string, double> Of(int[] lengths, int batchSize, int maxLength)
    {
        int[] shuffled = [.. Enumerable.Range(0, lengths.Length)];
        new Random(1).Shuffle(shuffled);
        return new Dictionary<string, double>
        {
            ["paddingOfLikeLength"] = Share(LengthGroupedBatches.Of(lengths, batchSize, new Random(1)), lengths),
            ["paddingOfShuffled"] = Share([.. shuffled.Chunk(batchSize)], lengths),
            ["paddingToMaxLength"] = 1 - lengths.Sum() / ((double)lengths.Length * maxLength),
        };
    }

    /// <summary>The shares as a table.</summary>
    public static ResultTable Table(int[] lengths, int batchSize, int maxLength)
    {
        var shares = Of(lengths, batchSize, maxLength);
        string Percent(string name) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{shares[name]:0.0 %}");
        return new ResultTable(
            [$"{lengths.Length} reviews of {lengths.Average():0} tokens on average, {batchSize} a batch", "padding"],
            [
                ["batches of like length, padded to their own longest", Percent("paddingOfLikeLength")],
                ["shuffled batches, padded to their own longest", Percent("paddingOfShuffled")],
                [$"padded to {maxLength}", Percent("paddingToMaxLength")],
            ]);
    }

    private static double Share(IReadOnlyList<int[]> batches, int[] lengths) =>
        1 - lengths.Sum() / (double)batches.Sum(batch => (long)batch.Length * batch.Max(row => lengths[row]));
}
