namespace ServerlessBert.Modeling;

/// <summary>What masking has to know of a vocabulary: which tokens are special, and which can stand in for another.</summary>
public sealed class MaskingVocabulary
{
    private readonly HashSet<int> special;
    private readonly int[] ordinary;

    /// <summary>Takes them from a tokenizer.</summary>
    /// <exception cref="ArgumentException">There is no token but the special ones.</exception>
    public MaskingVocabulary(BertTokenizer tokenizer)
    {
        special = [tokenizer.PaddingId, tokenizer.UnknownId, tokenizer.ClassificationId, tokenizer.SeparatorId, tokenizer.MaskId];
        ordinary = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => !special.Contains(id))];
        if (ordinary.Length == 0) throw new ArgumentException("The vocabulary has only special tokens.", nameof(tokenizer));
        MaskId = tokenizer.MaskId;
    }

    /// <summary>The id of [MASK].</summary>
    public int MaskId { get; }

    /// <summary>Whether an id is that of [PAD], [UNK], [CLS], [SEP] or [MASK], which are never predicted.</summary>
    public bool IsSpecial(int id) => special.Contains(id);

    /// <summary>Any token but the special ones, each as likely.</summary>
    public int Draw(Random random) => ordinary[random.Next(ordinary.Length)];
}
