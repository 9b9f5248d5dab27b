using System.Text;

namespace ServerlessBert.Modeling;

/// <summary>
/// Cuts a long text where no word is cut, so that a text is normalized only as far as its tokens are wanted: 512 tokens of a
/// megabyte cost what 512 tokens of a page cost.
/// </summary>
internal static class TextSegments
{
    /// <summary>Characters after which a segment ends at the next chance: longer than most reviews, shorter than most books.</summary>
    public const int MinimumLength = 2048;

    /// <summary>Consecutive segments that make up the whole text; each ends after white space or punctuation, except the last.</summary>
    public static IEnumerable<(int Offset, int Length)> Of(string text)
    {
        int start = 0;
        while (text.Length - start > MinimumLength)
        {
            int end = start + MinimumLength;
            while (end < text.Length && !IsBoundary(text[end - 1])) end++;
            yield return (start, end - start);
            start = end;
        }
        if (start < text.Length) yield return (start, text.Length - start);
    }

    // A surrogate is no boundary, so that pairs stay together.
    private static bool IsBoundary(char character) => Rune.TryCreate(character, out Rune rune)
        && (BertCharacters.IsWhiteSpace(rune) || BertCharacters.IsPunctuation(rune));
}
