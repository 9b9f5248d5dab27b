namespace ServerlessBert.Modeling;

/// <summary>tokenizer_config.json of a BERT checkpoint: how texts become word pieces.</summary>
public sealed partial record BertTokenizerOptions
{
    /// <summary>Whether letters are lower-cased (an uncased model); <c>do_lower_case</c>.</summary>
    public bool LowerCase { get; init; }

    /// <summary>Whether accents are stripped; null does as <see cref="LowerCase"/>, as BERT did; <c>strip_accents</c>.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Whether every CJK ideograph is a word of its own; <c>tokenize_chinese_chars</c>.</summary>
    public bool TokenizeChineseCharacters { get; init; } = true;

    /// <summary>Tokens the model reads at most, special tokens included; <see cref="int.MaxValue"/> is no limit; <c>model_max_length</c>. 512 is BERT's.</summary>
    public int ModelMaxLength { get; init; } = 512;

    /// <summary>Stands for a word that the vocabulary cannot spell; <c>unk_token</c>.</summary>
    public string UnknownToken { get; init; } = "[UNK]";

    /// <summary>Ends a text; <c>sep_token</c>.</summary>
    public string SeparatorToken { get; init; } = "[SEP]";

    /// <summary>Fills a batch's shorter rows; <c>pad_token</c>.</summary>
    public string PaddingToken { get; init; } = "[PAD]";

    /// <summary>Begins every input; its last hidden state is what is classified; <c>cls_token</c>.</summary>
    public string ClassificationToken { get; init; } = "[CLS]";

    /// <summary>Hides a token in masked language modelling; <c>mask_token</c>.</summary>
    public string MaskToken { get; init; } = "[MASK]";

    /// <summary>The five special tokens in the order in which a new vocabulary starts: padding is id 0, as in every BERT.</summary>
    internal string[] SpecialTokens => [PaddingToken, UnknownToken, ClassificationToken, SeparatorToken, MaskToken];
}
