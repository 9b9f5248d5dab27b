using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>
/// A vocabulary small enough to read: special tokens, some words, and every ASCII letter and digit as start and continuation.
/// </summary>
internal static class SmallVocabulary
{
    public static readonly BertTokenizerOptions Uncased = new() { LowerCase = true };

    public static readonly BertTokenizerOptions Cased = new() { LowerCase = false };

    public static readonly string[] Tokens = Distinct(
    [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
        "note", "book", "good", "bad", "food", "SEP", "##s", "##ing",
        .. "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".Select(c => c.ToString()),
        .. "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".Select(c => c.ToString()),
        .. "abcdefghijklmnopqrtuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".Select(c => "##" + c),
        "€", "##€", "°", "👍", "##👍", "中", "文", "𠀀", "é", "##é", "e", "i\u0307", "σ", "##σ",
    ]);

    public static BertTokenizer Tokenizer(BertTokenizerOptions options) => BertTokenizer.FromVocabulary(Tokens, options);

    /// <summary>The tokens of a text between [CLS] and [SEP].</summary>
    public static string[] Pieces(string text, BertTokenizerOptions options, int maxLength = 512)
    {
        BertTokenizer tokenizer = Tokenizer(options);
        return [.. tokenizer.Encode(text, maxLength)[1..^1].Select(tokenizer.TokenOf)];
    }

    private static string[] Distinct(string[] tokens) => [.. tokens.Distinct()];
}
