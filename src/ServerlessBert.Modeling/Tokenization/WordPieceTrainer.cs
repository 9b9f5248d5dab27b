using System.Text;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>
/// Trains a WordPiece vocabulary: it starts from the texts' characters and merges the best pair of neighbouring pieces until
/// the vocabulary is full, as Hugging Face's WordPieceTrainer does, or by WordPiece's likelihood; see <see cref="MergeScore"/>.
/// </summary>
public static class WordPieceTrainer
{
    /// <summary>
    /// Trains on texts and gives the tokens by id, ready for <see cref="BertTokenizer.FromVocabulary(IReadOnlyList{string},
    /// BertTokenizerOptions)"/>.
    /// </summary>
    /// <remarks>
    /// The result depends on the texts and the options alone, not even on the order of the texts: of equal scores the pair
    /// with the lower ids is merged. It is smaller than asked for when no pair is as frequent as the minimum any more.
    /// </remarks>
    /// <param name="texts">The corpus; read once.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    /// <exception cref="ArgumentException">The texts hold no word, or the vocabulary does not hold their characters.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<string> Train(IEnumerable<string> texts, WordPieceTrainerOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new WordPieceTrainerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinimumFrequency, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AlphabetLimit, 1, nameof(options));
        Dictionary<string, long> counts = WordCounts.Of(texts, options.Tokenizer, cancellationToken);
        if (counts.Count == 0)
            throw new ArgumentException(
            "The texts hold no word to train a vocabulary on; give at least one text with words.", nameof(texts));

        var pieces = new PieceTable(options.Tokenizer.SpecialTokens);
        List<SpelledWord> words = Spell(counts, WordCounts.Alphabet(counts, options.AlphabetLimit), pieces);
        if (pieces.Count > options.VocabularySize)
            throw new ArgumentException(
                $"A vocabulary of {options.VocabularySize} does not hold the special tokens and characters of the texts; ask for at "
                    + $"least {pieces.Count}, or lower AlphabetLimit.", nameof(options));
        Merge(words, pieces, options, cancellationToken);
        return pieces.Tokens;
    }

    /// <summary>
    /// Adds the alphabet to the pieces, at a word's start and, where it occurs, within one, and spells each word with it.
    /// </summary>
    private static List<SpelledWord> Spell(Dictionary<string, long> counts, SortedSet<Rune> alphabet, PieceTable pieces)
    {
        // A word with a character outside of the alphabet will be [UNK]: no piece of it is of use.
        var spelled = counts.Where(entry => AreAllIn(alphabet, entry.Key)).ToList();
        foreach (Rune rune in alphabet) pieces.Add(rune.ToString());
        var continuing = new SortedSet<Rune>(spelled.SelectMany(entry => entry.Key.EnumerateRunes().Skip(1)));
        foreach (Rune rune in continuing) pieces.Add(BertTokenizer.ContinuationPrefix + rune);
        return spelled.ConvertAll(entry => new SpelledWord(
            [.. entry.Key.EnumerateRunes()
                .Select((rune, index) => pieces.IdOf(index == 0 ? rune.ToString() : BertTokenizer.ContinuationPrefix + rune))],
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

    private static void Merge(
        List<SpelledWord> words, PieceTable pieces, WordPieceTrainerOptions options, CancellationToken cancellationToken)
    {
        var pairs = new PairTable(words, options.MinimumFrequency, options.Score);
        while (pieces.Count < options.VocabularySize && pairs.TakeBest() is PiecePair best)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pairs.Merge(best, pieces.Join(best.Left, best.Right));
        }
    }
}

/// <summary>How a WordPiece vocabulary is trained.</summary>
public sealed record WordPieceTrainerOptions
{
    /// <summary>
    /// Tokens in all, special ones included. 8,000 trained on 8,000 English reviews spell unseen ones in 1.06 pieces a word, as
    /// few as BERT's own 30,522 do, and keep the embeddings of a small model from outweighing its layers.
    /// </summary>
    public int VocabularySize { get; init; } = 8_000;

    /// <summary>
    /// How often two pieces must stand side by side to be merged: 2, since what occurs once is noise and cannot be learnt from.
    /// </summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>
    /// Characters kept, the most frequent first, as Hugging Face's WordPieceTrainer does; a word with another one is [UNK].
    /// </summary>
    public int AlphabetLimit { get; init; } = 1_000;

    /// <summary>Which pair is merged next.</summary>
    public MergeScore Score { get; init; } = MergeScore.Frequency;

    /// <summary>
    /// How texts become words, and the special tokens that come first. Uncased, since a small corpus sees most capitalized words
    /// too rarely.
    /// </summary>
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

/// <summary>How often each word stands in some texts, with words as <see cref="BertTokenizer"/> sees them.</summary>
internal static class WordCounts
{
    /// <summary>
    /// Counts the words of no more than <see cref="BertTokenizer.LongestWord"/> code points; longer ones are always [UNK].
    /// </summary>
    public static Dictionary<string, long> Of(IEnumerable<string> texts, BertTokenizerOptions options, CancellationToken cancellationToken)
    {
        var normalizer = new BertNormalizer(options);
        var preTokenizer = new BertPreTokenizer();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var countsBySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach ((int start, int size) in TextSegments.Of(text))
            {
                string normalized = normalizer.Normalize(text.AsSpan(start, size));
                foreach ((int offset, int length) in preTokenizer.PreTokenize(normalized))
                {
                    ReadOnlySpan<char> word = normalized.AsSpan(offset, length);
                    if (length <= BertTokenizer.LongestWord || BertCharacters.CountCodePoints(word) <= BertTokenizer.LongestWord)
                        countsBySpan[word] = countsBySpan.TryGetValue(word, out long count) ? count + 1 : 1;
                }
            }
        }
        return counts;
    }

    /// <summary>The most frequent characters, at most <paramref name="limit"/>, in the order of their code points.</summary>
    public static SortedSet<Rune> Alphabet(Dictionary<string, long> words, int limit)
    {
        var counts = new Dictionary<Rune, long>();
        foreach ((string word, long count) in words)
        {
            foreach (Rune rune in word.EnumerateRunes()) counts[rune] = counts.GetValueOrDefault(rune) + count;
        }
        return [.. counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Take(limit).Select(entry => entry.Key)];
    }
}

/// <summary>The tokens of a vocabulary in training, by id and by text.</summary>
internal sealed class PieceTable
{
    private readonly List<string> tokens = [];
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);

    public PieceTable(IEnumerable<string> specialTokens)
    {
        foreach (string token in specialTokens) Add(token);
    }

    public IReadOnlyList<string> Tokens => tokens;

    public int Count => tokens.Count;

    public int IdOf(string token) => ids[token];

    /// <summary>The id of a token, a new one where it is new: "ab" + "##c" and "a" + "##bc" are one token.</summary>
    public int Add(string token)
    {
        if (ids.TryAdd(token, tokens.Count)) tokens.Add(token);
        return ids[token];
    }

    /// <summary>Adds what two neighbouring pieces spell together.</summary>
    public int Join(int left, int right) => Add(tokens[left] + tokens[right][BertTokenizer.ContinuationPrefix.Length..]);
}
