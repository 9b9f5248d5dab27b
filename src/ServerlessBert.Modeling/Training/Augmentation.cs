using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Training;

/// <summary>What is left out of reviews and masked in them while they are learned from, other tokens in each pass.</summary>
/// <param name="options">Says how many.</param>
/// <param name="tokenizer">Knows which tokens are special.</param>
internal sealed class Augmentation(TrainingOptions options, BertTokenizer tokenizer)
{
    private readonly MaskingVocabulary? vocabulary = options.TokenMasking > 0 ? new MaskingVocabulary(tokenizer) : null;

    /// <summary>The rows with noise: a function of the seed and the batch, so that a resumed training sees the same.</summary>
    /// <param name="rows">Token ids; they are not changed.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="batch">The batch's number within it.</param>
    public int[][] On(int[][] rows, int step, int batch)
    {
        if (options.TokenDropout == 0 && vocabulary is null) return rows;
        var random = new Random(HashOf(options.Seed, step, batch));
        return [.. rows.Select(row => Masked(TokenDropout.Of(row, options.TokenDropout, random), random))];
    }

    private int[] Masked(int[] row, Random random) =>
        vocabulary is null ? row : MaskedTokens.Of(row, vocabulary, options.TokenMasking, random).InputIds;

    // HashCode would differ from process to process.
    private static int HashOf(int seed, int step, int batch) => unchecked((seed * 486_187_739 + step) * 16_777_619 + batch);
}

/// <summary>
/// Leaves tokens of a review out while it is learned from, others in each pass (Iyyer et al. 2015, "Deep Unordered
/// Composition Rivals Syntactic Methods for Text Classification", section 3.2): a model of few reviews cannot rely on any one
/// word. Shorter rows are less work, too.
/// </summary>
public static class TokenDropout
{
    /// <summary>
    /// The row without each of its tokens with probability <paramref name="rate"/>; the first and the last, [CLS] and [SEP],
    /// stay.
    /// </summary>
    /// <param name="ids">The row; it is not changed.</param>
    /// <param name="rate">From 0 to below 1.</param>
    /// <param name="random">Source of the choice: the same state gives the same row.</param>
    public static int[] Of(int[] ids, double rate, Random random) =>
        rate == 0 ? ids : [.. ids.Where((_, position) => position == 0 || position == ids.Length - 1 || random.NextDouble() >= rate)];
}

/// <summary>A row of token ids with some of them hidden, and what they were: the task of a masked language model.</summary>
/// <param name="InputIds">What the model sees.</param>
/// <param name="Positions">The positions to predict, ascending.</param>
/// <param name="Labels">The ids that were there.</param>
public sealed record MaskedTokens(int[] InputIds, int[] Positions, int[] Labels)
{
    // Of the chosen positions: BERT's own shares, so that the model cannot rely on [MASK] being what it has to answer for.
    private const double HiddenShare = 0.8, ReplacedShare = 0.1;

    /// <summary>
    /// Chooses a share of the tokens that are no special ones, at least one, as many in every row of as many tokens; of the
    /// chosen, each becomes [MASK] with probability 0.8, a token drawn from the whole vocabulary with 0.1, and stays with 0.1
    /// (Devlin et al. 2018, arXiv:1810.04805, appendix A.1, and its create_pretraining_data.py). Called anew in each epoch,
    /// it is RoBERTa's dynamic masking (Liu et al. 2019, arXiv:1907.11692, section 4.1).
    /// </summary>
    /// <param name="ids">The row; it is not changed.</param>
    /// <param name="vocabulary">Which ids are special, and which there are.</param>
    /// <param name="rate">Share of tokens to predict, 0.15 in BERT; above 0.</param>
    /// <param name="random">Source of all choices: the same state gives the same masks.</param>
    public static MaskedTokens Of(ReadOnlySpan<int> ids, MaskingVocabulary vocabulary, double rate, Random random)
    {
        int[] inputs = ids.ToArray();
        int[] ordinary = [.. Enumerable.Range(0, inputs.Length).Where(position => !vocabulary.IsSpecial(inputs[position]))];
        random.Shuffle(ordinary);
        int[] positions = ordinary[..Math.Min(ordinary.Length, Math.Max(1, (int)Math.Round(rate * ordinary.Length)))];
        Array.Sort(positions);
        int[] labels = [.. positions.Select(position => inputs[position])];
        foreach (int position in positions)
        {
            double fate = random.NextDouble();
            if (fate < HiddenShare) inputs[position] = vocabulary.MaskId;
            else if (fate < HiddenShare + ReplacedShare) inputs[position] = vocabulary.Draw(random);
        }
        return new MaskedTokens(inputs, positions, labels);
    }
}

/// <summary>What masking has to know of a vocabulary: which tokens are special, and which can stand in for another.</summary>
public sealed class MaskingVocabulary
{
    private readonly HashSet<int> special;
    private readonly int[] ordinary;

    /// <summary>Takes them from a tokenizer.</summary>
    /// <exception cref="ArgumentException">There is no token but the special ones.</exception>
    /// <exception cref="TrainingException">There is no [MASK].</exception>
    public MaskingVocabulary(BertTokenizer tokenizer)
    {
        MaskId = tokenizer.MaskId ?? throw new TrainingException(
            $"The vocabulary has no {tokenizer.Options.MaskToken}, so tokens cannot be masked; train without masking, or take a "
                + $"vocabulary that has it.");
        special = [tokenizer.PaddingId, tokenizer.UnknownId, tokenizer.ClassificationId, tokenizer.SeparatorId, MaskId];
        ordinary = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => !special.Contains(id))];
        if (ordinary.Length == 0) throw new ArgumentException("The vocabulary has only special tokens.", nameof(tokenizer));
    }

    /// <summary>The id of [MASK].</summary>
    public int MaskId { get; }

    /// <summary>Whether an id is that of [PAD], [UNK], [CLS], [SEP] or [MASK], which are never predicted.</summary>
    public bool IsSpecial(int id) => special.Contains(id);

    /// <summary>Any token but the special ones, each as likely.</summary>
    public int Draw(Random random) => ordinary[random.Next(ordinary.Length)];
}
