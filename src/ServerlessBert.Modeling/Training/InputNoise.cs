namespace ServerlessBert.Modeling;

/// <summary>What is left out of reviews and masked in them while they are learned from, other tokens in each pass.</summary>
/// <param name="options">Says how many.</param>
/// <param name="tokenizer">Knows which tokens are special.</param>
internal sealed class InputNoise(TrainingOptions options, BertTokenizer tokenizer)
{
    private readonly MaskingVocabulary? vocabulary = options.TokenMasking > 0 ? new MaskingVocabulary(tokenizer) : null;

    /// <summary>The rows with noise: a function of the seed and the batch, so that a resumed training sees the same.</summary>
    /// <param name="rows">Token ids; they are not changed.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="batch">The batch's number within it.</param>
    public int[][] On(int[][] rows, int step, int batch)
    {
        if (options.WordDropout == 0 && vocabulary is null) return rows;
        var random = new Random(HashOf(options.Seed, step, batch));
        return [.. rows.Select(row => Masked(WordDropout.Of(row, options.WordDropout, random), random))];
    }

    private int[] Masked(int[] row, Random random) =>
        vocabulary is null ? row : MaskedTokens.Of(row, vocabulary, options.TokenMasking, random).InputIds;

    // HashCode would differ from process to process.
    private static int HashOf(int seed, int step, int batch) => unchecked((seed * 486_187_739 + step) * 16_777_619 + batch);
}
