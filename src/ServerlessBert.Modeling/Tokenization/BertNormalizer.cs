using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling;

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

    /// <exception cref="PlatformNotSupportedException">Accents are to be stripped in a process that cannot decompose characters.</exception>
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
            "This process runs with globalization-invariant mode, in which accents cannot be stripped and an uncased model would read other words than it was trained on; "
            + "unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT and install ICU (the package libicu or icu-libs).");
    }
}
