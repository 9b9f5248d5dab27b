using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>How texts of a batch are made as long as each other; Hugging Face's <c>padding</c>.</summary>
public enum PaddingStrategy
{
    /// <summary>
    /// To the longest text of the batch (<c>padding=True</c>, dynamic padding): the default, since nothing more is computed than
    /// must be.
    /// </summary>
    Longest,

    /// <summary>To the maximum length (<c>padding="max_length"</c>): the same shape for every batch, at several times the work.</summary>
    MaxLength,
}

/// <summary>Texts as tensors that the model's <c>forward</c> takes; Hugging Face's BatchEncoding.</summary>
public sealed class EncodedBatch : IDisposable
{
    internal EncodedBatch(Tensor inputIds, Tensor attentionMask, Tensor tokenTypeIds) =>
        (InputIds, AttentionMask, TokenTypeIds) = (inputIds, attentionMask, tokenTypeIds);

    /// <summary>Token ids, [batch, sequence], int64; [PAD] after a text's end.</summary>
    public Tensor InputIds { get; }

    /// <summary>1 for a token, 0 for padding, [batch, sequence], int64.</summary>
    public Tensor AttentionMask { get; }

    /// <summary>0 for the first text of a pair, 1 for the second, [batch, sequence], int64; all 0 where there is one text.</summary>
    public Tensor TokenTypeIds { get; }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        InputIds.Dispose();
        AttentionMask.Dispose();
        TokenTypeIds.Dispose();
    }
}

public sealed partial class BertTokenizer
{
    /// <summary>Tokenizes texts into tensors, as <c>tokenizer(texts, padding=…, truncation=True, return_tensors="pt")</c> does.</summary>
    /// <param name="texts">At least one text.</param>
    /// <param name="padding">How they are made as long as each other.</param>
    /// <param name="maxLength">Tokens at most, special tokens included; null takes the model's own maximum.</param>
    /// <param name="device">Where the tensors go; null for the CPU.</param>
    /// <exception cref="ArgumentException">There is no text, or padding to a maximum is asked for where neither caller nor model
    /// has one.</exception>
    public EncodedBatch Encode(
        IReadOnlyList<string> texts, PaddingStrategy padding = PaddingStrategy.Longest, int? maxLength = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0) throw new ArgumentException("There is no text to tokenize; give at least one.", nameof(texts));
        int limit = maxLength ?? Options.ModelMaxLength;
        if (padding == PaddingStrategy.MaxLength && limit == int.MaxValue)
            throw new ArgumentException(
                "The tokenizer has no maximum length to pad to (model_max_length); give maxLength.", nameof(maxLength));
        int[][] rows = [.. texts.Select(text => Encode(text, limit))];
        int sequence = padding == PaddingStrategy.MaxLength ? limit : rows.Max(row => row.Length);
        long[] ids = new long[rows.Length * sequence], mask = new long[ids.Length];
        Array.Fill(ids, PaddingId);
        for (int row = 0; row < rows.Length; row++)
        {
            for (int position = 0; position < rows[row].Length; position++) ids[row * sequence + position] = rows[row][position];
            Array.Fill(mask, 1, row * sequence, rows[row].Length);
        }
        long[] shape = [rows.Length, sequence];
        return new EncodedBatch(tensor(ids, shape, device: device), tensor(mask, shape, device: device), zeros(shape, int64, device));
    }
}
