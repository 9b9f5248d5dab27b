using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>
/// WordPiece training as its definition says: every pair counted anew before every merge. The slow truth of the fast trainer.
/// </summary>
internal static class RecountingTrainer
{
    public static List<string> Train(IEnumerable<string> texts, WordPieceTrainerOptions options)
    {
        Dictionary<string, long> counts = WordCounts.Of(texts, options.Tokenizer, default);
        var words = counts.Select(entry => (Pieces: Spell(entry.Key), entry.Value)).ToList();
        List<string> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        tokens.AddRange(counts.Keys.SelectMany(word => word.EnumerateRunes()).Distinct().Order().Select(rune => rune.ToString()));
        tokens.AddRange(counts.Keys.SelectMany(word => word.EnumerateRunes().Skip(1)).Distinct().Order().Select(rune => "##" + rune));
        while (tokens.Count < options.VocabularySize)
        {
            var pieceCounts = words.SelectMany(word => word.Pieces, (word, piece) => (piece, word.Value))
                .GroupBy(piece => piece.piece).ToDictionary(group => group.Key, group => group.Sum(piece => piece.Value));
            var best = words.SelectMany(word => word.Pieces.Zip(word.Pieces.Skip(1)), (word, pair) => (pair, word.Value))
                .GroupBy(pair => pair.pair, (pair, found) => (Pair: pair, Count: found.Sum(one => one.Value)))
                .Where(pair => pair.Count >= options.MinimumFrequency)
                .OrderByDescending(
                    pair => options.Score == MergeScore.Frequency ? pair.Count
                    : pair.Count / ((double)pieceCounts[pair.Pair.First] * pieceCounts[pair.Pair.Second]))
                .ThenBy(pair => tokens.IndexOf(pair.Pair.First)).ThenBy(pair => tokens.IndexOf(pair.Pair.Second))
                .FirstOrDefault();
            if (best.Count == 0) break;
            string joined = best.Pair.First + best.Pair.Second[2..];
            if (!tokens.Contains(joined)) tokens.Add(joined);
            words = [.. words.Select(word => (Join(word.Pieces, best.Pair, joined), word.Value))];
        }
        return tokens;
    }

    private static List<string> Spell(string word) =>
        [.. word.EnumerateRunes().Select((rune, index) => index == 0 ? rune.ToString() : "##" + rune)];

    private static List<string> Join(List<string> pieces, (string First, string Second) pair, string joined)
    {
        var result = new List<string>();
        for (int index = 0; index < pieces.Count; index++)
        {
            bool isPair = index + 1 < pieces.Count && (pieces[index], pieces[index + 1]) == pair;
            result.Add(isPair ? joined : pieces[index]);
            if (isPair) index++;
        }
        return result;
    }
}
