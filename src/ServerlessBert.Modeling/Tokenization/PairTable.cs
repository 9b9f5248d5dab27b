using System.Runtime.InteropServices;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>A word as ids of pieces, and how often the texts have it.</summary>
internal sealed class SpelledWord(int[] pieces, long count)
{
    public int[] Pieces { get; set; } = pieces;

    public long Count { get; } = count;
}

/// <summary>Two pieces that stand side by side, how often, and in which words (some of which may have lost it since).</summary>
internal sealed class PiecePair(int left, int right)
{
    public int Left { get; } = left;

    public int Right { get; } = right;

    public long Count { get; set; }

    public List<SpelledWord> Words { get; } = [];
}

/// <summary>
/// The counts of all pairs, kept up to date merge by merge: only the words that have the merged pair are counted anew. A
/// priority queue holds every pair under its latest score; entries under an older score are skipped when they come up.
/// </summary>
internal sealed class PairTable
{
    private readonly Dictionary<(int Left, int Right), PiecePair> pairs = [];
    private readonly Dictionary<int, long> pieceCounts = [];
    private readonly Dictionary<int, List<PiecePair>> pairsOfPiece = [];
    private readonly PriorityQueue<PiecePair, MergePriority> queue = new();
    private readonly HashSet<PiecePair> changed = [];
    private readonly long minimumFrequency;
    private readonly MergeScore score;

    public PairTable(IEnumerable<SpelledWord> words, int minimumFrequency, MergeScore score)
    {
        this.minimumFrequency = minimumFrequency;
        this.score = score;
        foreach (SpelledWord word in words) Count(word, 1);
        Enqueue();
    }

    /// <summary>Takes the pair of the best score, or null when none is frequent enough.</summary>
    public PiecePair? TakeBest()
    {
        while (queue.TryDequeue(out PiecePair? pair, out MergePriority priority))
        {
            if (pair.Count >= minimumFrequency && priority.Score == ScoreOf(pair)) return pair;
        }
        return null;
    }

    /// <summary>Replaces a pair by one piece in every word.</summary>
    public void Merge(PiecePair pair, int merged)
    {
        foreach (SpelledWord word in pair.Words)
        {
            int[] pieces = Replace(word.Pieces, pair, merged);
            if (pieces.Length == word.Pieces.Length) continue;
            Count(word, -1);
            word.Pieces = pieces;
            Count(word, 1);
        }
        if (score == MergeScore.Likelihood)
        {
            foreach (int piece in (int[])[pair.Left, pair.Right, merged]) changed.UnionWith(pairsOfPiece.GetValueOrDefault(piece, []));
        }
        Enqueue();
    }

    private static int[] Replace(int[] pieces, PiecePair pair, int merged)
    {
        var result = new List<int>(pieces.Length);
        for (int index = 0; index < pieces.Length; index++)
        {
            bool isPair = index + 1 < pieces.Length && pieces[index] == pair.Left && pieces[index + 1] == pair.Right;
            result.Add(isPair ? merged : pieces[index]);
            if (isPair) index++;
        }
        return [.. result];
    }

    private void Count(SpelledWord word, int sign)
    {
        long change = sign * word.Count;
        for (int index = 0; index < word.Pieces.Length; index++)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(pieceCounts, word.Pieces[index], out _) += change;
            if (index == 0) continue;
            PiecePair pair = PairOf(word.Pieces[index - 1], word.Pieces[index]);
            pair.Count += change;
            if (sign > 0 && (pair.Words.Count == 0 || pair.Words[^1] != word)) pair.Words.Add(word);
            changed.Add(pair);
        }
    }

    private PiecePair PairOf(int left, int right)
    {
        ref PiecePair? pair = ref CollectionsMarshal.GetValueRefOrAddDefault(pairs, (left, right), out bool exists);
        if (exists) return pair!;
        pair = new PiecePair(left, right);
        if (score == MergeScore.Likelihood)
        {
            foreach (int piece in (int[])[left, right])
            {
                ref List<PiecePair>? ofPiece = ref CollectionsMarshal.GetValueRefOrAddDefault(pairsOfPiece, piece, out _);
                (ofPiece ??= []).Add(pair);
            }
        }
        return pair;
    }

    private void Enqueue()
    {
        foreach (PiecePair pair in changed)
        {
            if (pair.Count >= minimumFrequency) queue.Enqueue(pair, new MergePriority(ScoreOf(pair), pair.Left, pair.Right));
        }
        changed.Clear();
    }

    private double ScoreOf(PiecePair pair) => score == MergeScore.Frequency
        ? pair.Count
        : pair.Count / ((double)pieceCounts[pair.Left] * pieceCounts[pair.Right]);
}

/// <summary>The higher score first; of equal scores, the lower ids.</summary>
internal readonly record struct MergePriority(double Score, int Left, int Right) : IComparable<MergePriority>
{
    public int CompareTo(MergePriority other)
    {
        int order = other.Score.CompareTo(Score);
        if (order == 0) order = Left.CompareTo(other.Left);
        return order != 0 ? order : Right.CompareTo(other.Right);
    }
}
