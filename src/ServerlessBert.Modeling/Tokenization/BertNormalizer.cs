using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>
/// Hugging Face's <c>BertNormalizer</c> as a normalizer of Microsoft.ML.Tokenizers: control characters are deleted, white
/// space becomes spaces, ideographs get spaces around them, accents are stripped (NFD without its nonspacing marks), and
/// letters are lower-cased one by one, in this order.
/// </summary>
internal sealed class BertNormalizer : Normalizer
{
    private readonly bool lowerCase;
    private readonly bool stripAccents;
    private readonly bool spaceIdeographs;

    /// <exception cref="PlatformNotSupportedException">Accents are to be stripped in a process that cannot decompose
    /// characters.</exception>
    public BertNormalizer(BertTokenizerOptions options)
    {
        lowerCase = options.LowerCase;
        stripAccents = options.StripAccents ?? options.LowerCase;
        spaceIdeographs = options.TokenizeChineseCharacters;
        if (stripAccents) RequireDecomposition();
    }

    /// <inheritdoc/>
    public override string Normalize(string original) => Normalize(original.AsSpan());

    /// <inheritdoc/>
    public override string Normalize(ReadOnlySpan<char> original)
    {
        var cleaned = new StringBuilder(original.Length + 16);
        bool isAscii = true;
        // Lone surrogates are enumerated as U+FFFD, which the reference deletes.
        foreach (Rune rune in original.EnumerateRunes())
        {
            isAscii &= rune.IsAscii;
            AppendCleaned(cleaned, rune);
        }
        string text = cleaned.ToString();
        if (isAscii) return lowerCase ? text.ToLowerInvariant() : text;
        if (stripAccents) return LowerCaseWithoutMarks(text.Normalize(NormalizationForm.FormD));
        return lowerCase ? LowerCaseOf(text) : text;
    }

    private void AppendCleaned(StringBuilder cleaned, Rune rune)
    {
        if (rune == Rune.ReplacementChar || BertCharacters.IsControl(rune)) return;
        if (BertCharacters.IsWhiteSpace(rune)) cleaned.Append(' ');
        else if (spaceIdeographs && BertCharacters.IsIdeograph(rune)) Append(cleaned.Append(' '), rune).Append(' ');
        // string.Normalize refuses this one noncharacter; its neighbour is as unknown to any vocabulary.
        else if (rune.Value == 0xFFFE) cleaned.Append('\uFFFF');
        else Append(cleaned, rune);
    }

    private string LowerCaseWithoutMarks(string decomposed)
    {
        var result = new StringBuilder(decomposed.Length);
        foreach (Rune rune in decomposed.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark) continue;
            Append(result, lowerCase ? Rune.ToLowerInvariant(rune) : rune);
        }
        return result.ToString();
    }

    // The only letter whose lower case is two characters whatever its surroundings (Unicode's SpecialCasing.txt); .NET
    // leaves it as it is. The reference lowers Σ to σ even at a word's end, as this does.
    private static string LowerCaseOf(string text) => text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();

    private static StringBuilder Append(StringBuilder builder, Rune rune)
    {
        Span<char> units = stackalloc char[2];
        return builder.Append(units[..rune.EncodeToUtf16(units)]);
    }

    private static void RequireDecomposition()
    {
        if ("\u00E9".Normalize(NormalizationForm.FormD).Length == 2) return;
        throw new PlatformNotSupportedException(
            "This process runs with globalization-invariant mode, in which accents cannot be stripped and an uncased model would "
                + "read other words than it was trained on; "
            + "unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT and install ICU (the package libicu or icu-libs).");
    }
}

/// <summary>
/// Hugging Face's <c>BertPreTokenizer</c> as a pre-tokenizer of Microsoft.ML.Tokenizers: words end at white space, and each
/// punctuation character is a word of its own.
/// </summary>
internal sealed class BertPreTokenizer : PreTokenizer
{
    /// <inheritdoc/>
    /// <remarks>Lazy: words are found as they are asked for.</remarks>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        int start = 0;
        for (int index = 0; index < text.Length;)
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(index), out Rune rune, out int length);
            bool isPunctuation = BertCharacters.IsPunctuation(rune);
            if (isPunctuation || BertCharacters.IsWhiteSpace(rune))
            {
                if (index > start) yield return (start, index - start);
                if (isPunctuation) yield return (index, length);
                start = index + length;
            }
            index += length;
        }
        if (text.Length > start) yield return (start, text.Length - start);
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}

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
