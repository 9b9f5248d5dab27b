using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>How often each word stands in some texts, with words as <see cref="BertTokenizer"/> sees them.</summary>
internal static class WordCounts
{
    /// <summary>Counts the words of no more than <see cref="BertTokenizer.LongestWord"/> code points; longer ones are always [UNK].</summary>
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
