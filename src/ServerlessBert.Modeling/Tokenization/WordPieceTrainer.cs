using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>
/// Trains a WordPiece vocabulary: it starts from the texts' characters and merges the best pair of neighbouring pieces until
/// the vocabulary is full, as Hugging Face's WordPieceTrainer does, or by WordPiece's likelihood; see <see cref="MergeScore"/>.
/// </summary>
public static class WordPieceTrainer
{
    /// <summary>Trains on texts and gives the tokens by id, ready for <see cref="BertTokenizer.FromVocabulary(IReadOnlyList{string}, BertTokenizerOptions)"/>.</summary>
    /// <remarks>
    /// The result depends on the texts and the options alone, not even on the order of the texts: of equal scores the pair
    /// with the lower ids is merged. It is smaller than asked for when no pair is as frequent as the minimum any more.
    /// </remarks>
    /// <param name="texts">The corpus; read once.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    /// <exception cref="ArgumentException">The texts hold no word, or the vocabulary does not hold their characters.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<string> Train(IEnumerable<string> texts, WordPieceTrainerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new WordPieceTrainerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinimumFrequency, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AlphabetLimit, 1, nameof(options));
        Dictionary<string, long> counts = WordCounts.Of(texts, options.Tokenizer, cancellationToken);
        if (counts.Count == 0) throw new ArgumentException("The texts hold no word to train a vocabulary on; give at least one text with words.", nameof(texts));

        var pieces = new PieceTable(options.Tokenizer.SpecialTokens);
        List<SpelledWord> words = Spell(counts, WordCounts.Alphabet(counts, options.AlphabetLimit), pieces);
        if (pieces.Count > options.VocabularySize)
            throw new ArgumentException($"A vocabulary of {options.VocabularySize} does not hold the special tokens and characters of the texts; ask for at least {pieces.Count}, or lower AlphabetLimit.", nameof(options));
        Merge(words, pieces, options, cancellationToken);
        return pieces.Tokens;
    }

    /// <summary>Adds the alphabet to the pieces, at a word's start and, where it occurs, within one, and spells each word with it.</summary>
    private static List<SpelledWord> Spell(Dictionary<string, long> counts, SortedSet<Rune> alphabet, PieceTable pieces)
    {
        // A word with a character outside of the alphabet will be [UNK]: no piece of it is of use.
        var spelled = counts.Where(entry => AreAllIn(alphabet, entry.Key)).ToList();
        foreach (Rune rune in alphabet) pieces.Add(rune.ToString());
        var continuing = new SortedSet<Rune>(spelled.SelectMany(entry => entry.Key.EnumerateRunes().Skip(1)));
        foreach (Rune rune in continuing) pieces.Add(BertTokenizer.ContinuationPrefix + rune);
        return spelled.ConvertAll(entry => new SpelledWord(
            [.. entry.Key.EnumerateRunes().Select((rune, index) => pieces.IdOf(index == 0 ? rune.ToString() : BertTokenizer.ContinuationPrefix + rune))],
            entry.Value));
    }

    private static bool AreAllIn(SortedSet<Rune> alphabet, string word)
    {
        foreach (Rune rune in word.EnumerateRunes())
        {
            if (!alphabet.Contains(rune)) return false;
        }
        return true;
    }

    private static void Merge(List<SpelledWord> words, PieceTable pieces, WordPieceTrainerOptions options, CancellationToken cancellationToken)
    {
        var pairs = new PairTable(words, options.MinimumFrequency, options.Score);
        while (pieces.Count < options.VocabularySize && pairs.TakeBest() is PiecePair best)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pairs.Merge(best, pieces.Join(best.Left, best.Right));
        }
    }
}
