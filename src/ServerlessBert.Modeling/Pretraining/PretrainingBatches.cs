using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Pretraining;

/// <summary>
/// Masked rows of one length as the model takes them. Where a row has special tokens it has fewer positions to predict: they
/// are filled up, with a label that the loss leaves out, to a multiple of four. So shapes recur from step to step, which
/// counts on a CPU: oneDNN compiles a kernel for each new one.
/// </summary>
internal sealed class MaskedBatch : IDisposable
{
    /// <summary>The label of a position that was only filled up: cross_entropy's default for what does not count.</summary>
    public const long Ignored = -100;

    private const int Multiple = 4;

    private MaskedBatch(Tensor inputIds, Tensor positions, Tensor labels, int predicted) =>
        (InputIds, Positions, Labels, Predicted) = (inputIds, positions, labels, predicted);

    /// <summary>[batch, sequence] int64.</summary>
    public Tensor InputIds { get; }

    /// <summary>[batch, wanted] int64.</summary>
    public Tensor Positions { get; }

    /// <summary>[batch * wanted] int64, <see cref="Ignored"/> where nothing is asked.</summary>
    public Tensor Labels { get; }

    /// <summary>Positions that count.</summary>
    public int Predicted { get; }

    /// <summary>Lays masked rows of the same length side by side; the positions of one of them at least count.</summary>
    public static MaskedBatch Of(IReadOnlyList<MaskedTokens> rows, Device device)
    {
        int sequence = rows[0].InputIds.Length;
        int wanted = (rows.Max(row => row.Positions.Length) + Multiple - 1) / Multiple * Multiple;
        long[] ids = [.. rows.SelectMany(row => row.InputIds).Select(id => (long)id)];
        var positions = new long[rows.Count * wanted];
        var labels = new long[positions.Length];
        Array.Fill(labels, Ignored);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows[row].Positions.Length; i++)
                (positions[row * wanted + i], labels[row * wanted + i]) = (rows[row].Positions[i], rows[row].Labels[i]);
        }
        return new MaskedBatch(
            tensor(ids, [rows.Count, sequence], device: device),
            tensor(positions, [rows.Count, wanted], device: device),
            tensor(labels, device: device),
            rows.Sum(row => row.Positions.Length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        Positions.Dispose();
        Labels.Dispose();
    }
}

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
        tokenizer = tokenizer.ForUntrustedText();
        this.texts = [.. texts.Select(text => tokenizer.Encode(text, int.MaxValue)[1..^1]).Where(ids => ids.Length > 0)];
        (this.length, classificationId, separatorId) = (length, tokenizer.ClassificationId, tokenizer.SeparatorId);
        Tokens = this.texts.Sum(ids => (long)ids.Length);
        if (this.texts.Length == 0) throw new TrainingException("There is no text to pretrain on.");
        if (PiecesAnEpoch == 0)
            throw new TrainingException(
                $"The texts have {Tokens:N0} tokens in all, too few for one piece of {length}; give more text or a smaller sequence "
                    + $"length.");
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
