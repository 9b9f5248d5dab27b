namespace ServerlessBert.Modeling;

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
