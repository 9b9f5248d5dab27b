using System.Globalization;
using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>
/// The character classes of the reference tokenizer, as BERT's <c>tokenization.py</c> names them and Hugging Face's
/// <c>BertNormalizer</c> and <c>BertPreTokenizer</c> apply them.
/// </summary>
internal static class BertCharacters
{
    /// <summary>Unicode separators, and the three control characters that part words.</summary>
    public static bool IsWhiteSpace(Rune rune) => rune.IsAscii
        ? rune.Value is ' ' or '\t' or '\n' or '\r'
        : Rune.IsSeparator(rune);

    /// <summary>
    /// Control, format and private-use characters, deleted from a text. Unassigned code points stay, so that an emoji
    /// newer than this runtime's Unicode tables is an unknown word and not nothing.
    /// </summary>
    public static bool IsControl(Rune rune) => rune.IsAscii
        ? (rune.Value < ' ' && rune.Value is not ('\t' or '\n' or '\r')) || rune.Value == 0x7F
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse;

    /// <summary>Unicode's P*, and every ASCII symbol that is no letter, digit or space (<c>$ + &lt; = &gt; ^ ` | ~</c>).</summary>
    public static bool IsPunctuation(Rune rune) => rune.IsAscii
        ? rune.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        : Rune.IsPunctuation(rune);

    /// <summary>The CJK ideograph blocks that the reference splits character by character; kana and Hangul are not among them.</summary>
    /// <remarks>Extension E begins at U+2B820, as in BERT's own code; Hugging Face's Rust has U+2B920.</remarks>
    public static bool IsIdeograph(Rune rune) => rune.Value is
        (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or
        (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or
        (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    /// <summary>Length in code points, which is how the reference counts: an emoji of two UTF-16 units is one.</summary>
    public static int CountCodePoints(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes()) count++;
        return count;
    }
}
