namespace ServerlessBert.Modeling;

/// <summary>
/// Random batches of reviews of like length: shuffled, cut into groups of many batches, sorted by length inside a
/// group, and the batches shuffled again (the Trainer's group_by_length). Every review stands in one batch.
/// </summary>
public static class LengthGroupedBatches
{
    // Enough for batches of nearly one length, few enough that an epoch's order stays random.
    private const int BatchesInGroup = 50;

    /// <summary>The batches of one epoch, as indices into <paramref name="lengths"/>.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="batchSize">Reviews a batch; the last may have fewer.</param>
    /// <param name="random">Source of the order: the same seed gives the same batches.</param>
    public static IReadOnlyList<int[]> Of(IReadOnlyList<int> lengths, int batchSize, Random random)
    {
        int[] order = [.. Enumerable.Range(0, lengths.Count)];
        random.Shuffle(order);
        int[][] batches = [.. order
            .Chunk(batchSize * BatchesInGroup)
            .SelectMany(group => group.OrderByDescending(index => lengths[index]).ThenBy(index => index).Chunk(batchSize))];
        random.Shuffle(batches);
        return batches;
    }
}
