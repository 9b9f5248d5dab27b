namespace ServerlessBert.Modeling;

/// <summary>
/// Texts as pieces of one length for pretraining: in a new order each epoch, one after the other with [SEP] between them,
/// cut without regard to their ends, each piece with [CLS] before it. Nothing is padding and nothing is cut off, but for the
/// rest that fills no piece (RoBERTa's full sentences, Liu et al. 2019, arXiv:1907.11692, section 4.2).
/// </summary>
public sealed class PackedTexts
{
    private readonly int[][] texts;
    private readonly int length;
    private readonly int classificationId;
    private readonly int separatorId;

    /// <summary>Tokenizes the texts.</summary>
    /// <param name="texts">The corpus; a text without tokens is left out.</param>
    /// <param name="tokenizer">Cuts texts into tokens.</param>
    /// <param name="length">Tokens of a piece.</param>
    /// <exception cref="TrainingException">There is no text, or not enough for one piece.</exception>
    public PackedTexts(IEnumerable<string> texts, BertTokenizer tokenizer, int length)
    {
        // Each text's own [CLS] and [SEP] are dropped: the pieces have theirs.
        this.texts = [.. texts.Select(text => tokenizer.Encode(text, int.MaxValue)[1..^1]).Where(ids => ids.Length > 0)];
        (this.length, classificationId, separatorId) = (length, tokenizer.ClassificationId, tokenizer.SeparatorId);
        Tokens = this.texts.Sum(ids => (long)ids.Length);
        if (this.texts.Length == 0) throw new TrainingException("There is no text to pretrain on.");
        if (PiecesAnEpoch == 0)
            throw new TrainingException($"The texts have {Tokens:N0} tokens in all, too few for one piece of {length}; give more text or a smaller sequence length.");
    }

    /// <summary>Tokens of all texts.</summary>
    public long Tokens { get; }

    /// <summary>Pieces of one epoch.</summary>
    public int PiecesAnEpoch => (int)((Tokens + texts.Length) / (length - 1));

    /// <summary>The pieces of one epoch, in random order, each of the same length.</summary>
    /// <param name="random">Source of the order.</param>
    public IReadOnlyList<int[]> Epoch(Random random)
    {
        int[][] shuffled = [.. texts];
        random.Shuffle(shuffled);
        var pieces = new int[PiecesAnEpoch][];
        var stream = shuffled.SelectMany(ids => ids.Append(separatorId)).GetEnumerator();
        for (int piece = 0; piece < pieces.Length; piece++)
        {
            int[] ids = new int[length];
            ids[0] = classificationId;
            for (int position = 1; position < length && stream.MoveNext(); position++) ids[position] = stream.Current;
            pieces[piece] = ids;
        }
        random.Shuffle(pieces);
        return pieces;
    }
}
