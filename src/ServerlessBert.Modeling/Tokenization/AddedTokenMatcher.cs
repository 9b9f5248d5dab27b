using System.Buffers;
using System.Globalization;
using System.Text;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>
/// Finds added tokens in a text as Hugging Face's tokenizers library does (its AddedVocabulary): the leftmost one, of those the
/// longest, then on after it.
/// </summary>
internal sealed class AddedTokenMatcher
{
    private readonly (string Content, AddedToken Token)[] longestFirst;
    private readonly SearchValues<string> contents;

    /// <param name="tokens">The tokens, and the text to find for each.</param>
    public AddedTokenMatcher(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        longestFirst = [.. tokens.Where(each => each.Content.Length > 0).OrderByDescending(each => each.Content.Length)];
        contents = SearchValues.Create([.. longestFirst.Select(each => each.Content)], StringComparison.Ordinal);
    }

    /// <summary>Whether there is nothing to find.</summary>
    public bool IsEmpty => longestFirst.Length == 0;

    /// <summary>
    /// The text's pieces in order, found as they are asked for: added tokens with their ids, and what stands between them.
    /// </summary>
    public IEnumerable<TextPiece> Split(string text)
    {
        int done = 0;
        for (int from = 0; Next(text, from) is (var start, { } token, var length); from = start + length)
        {
            if (token.IsSingleWord && IsWithinWord(text, start, start + length)) continue;
            int end = start + length;
            int begin = token.StripsLeft ? Math.Max(done, text.AsSpan(0, start).TrimEnd().Length) : Math.Max(done, start);
            if (token.StripsRight) end = text.Length - text.AsSpan(end).TrimStart().Length;
            if (begin > done) yield return new TextPiece(done, begin - done, null);
            yield return new TextPiece(begin, end - begin, token.Id);
            done = end;
        }
        if (done < text.Length) yield return new TextPiece(done, text.Length - done, null);
    }

    private (int Start, AddedToken? Token, int Length) Next(string text, int from)
    {
        int found = IsEmpty ? -1 : text.AsSpan(from).IndexOfAny(contents);
        if (found < 0) return (text.Length, null, 0);
        int start = from + found;
        (string content, AddedToken token) =
            Array.Find(longestFirst, each => text.AsSpan(start).StartsWith(each.Content, StringComparison.Ordinal));
        return (start, token, content.Length);
    }

    private static bool IsWithinWord(string text, int start, int end)
    {
        bool isAfterWord = Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out Rune before, out _) == OperationStatus.Done
            && IsWordCharacter(before);
        bool isBeforeWord = Rune.DecodeFromUtf16(text.AsSpan(end), out Rune after, out _) == OperationStatus.Done && IsWordCharacter(after);
        return isAfterWord || isBeforeWord;
    }

    // \w of Unicode's regular expressions (UTS #18).
    private static bool IsWordCharacter(Rune rune) =>
        Rune.IsLetter(rune) || rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}

/// <summary>A part of a text.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="Length">Its characters.</param>
/// <param name="Id">The added token that it is, or null for text to be split.</param>
internal readonly record struct TextPiece(int Start, int Length, int? Id);
