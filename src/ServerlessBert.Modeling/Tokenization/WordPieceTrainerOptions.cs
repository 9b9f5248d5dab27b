namespace ServerlessBert.Modeling;

/// <summary>How a WordPiece vocabulary is trained.</summary>
public sealed record WordPieceTrainerOptions
{
    /// <summary>
    /// Tokens in all, special ones included. 8,000 trained on 8,000 English reviews spell unseen ones in 1.06 pieces a word, as
    /// few as BERT's own 30,522 do, and keep the embeddings of a small model from outweighing its layers.
    /// </summary>
    public int VocabularySize { get; init; } = 8_000;

    /// <summary>How often two pieces must stand side by side to be merged: 2, since what occurs once is noise and cannot be learnt from.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>Characters kept, the most frequent first, as Hugging Face's WordPieceTrainer does; a word with another one is [UNK].</summary>
    public int AlphabetLimit { get; init; } = 1_000;

    /// <summary>Which pair is merged next.</summary>
    public MergeScore Score { get; init; } = MergeScore.Frequency;

    /// <summary>How texts become words, and the special tokens that come first. Uncased, since a small corpus sees most capitalized words too rarely.</summary>
    public BertTokenizerOptions Tokenizer { get; init; } = new() { LowerCase = true };
}

/// <summary>Which pair of pieces a vocabulary's training merges next.</summary>
public enum MergeScore
{
    /// <summary>
    /// The most frequent pair, as in byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) and in Hugging Face's
    /// WordPieceTrainer: the fewest pieces a word (1.06 in unseen reviews, after training on 8,000).
    /// </summary>
    Frequency,

    /// <summary>
    /// The pair whose merging raises a unigram model's likelihood most, count(ab) / (count(a) · count(b)), as in WordPiece's
    /// own paper (Schuster and Nakajima 2012, "Japanese and Korean voice search"). Rare pieces that always stand together
    /// win: 2.40 pieces a word with a <see cref="WordPieceTrainerOptions.MinimumFrequency"/> of 2, 1.30 with 20, so raise it.
    /// </summary>
    Likelihood,
}
