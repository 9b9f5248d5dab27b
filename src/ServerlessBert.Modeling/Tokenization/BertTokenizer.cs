using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>
/// The reference BertTokenizer's ids (Devlin et al. 2018, arXiv:1810.04805; Hugging Face's BertTokenizerFast) over
/// Microsoft.ML.Tokenizers' WordPiece, with the reference's normalizing and splitting. Safe to use from many threads.
/// </summary>
/// <remarks>Text never becomes a control token: "[SEP]" in a review is three words, whatever the special tokens are called.</remarks>
public sealed partial class BertTokenizer
{
    /// <summary>Marks a piece that continues a word.</summary>
    internal const string ContinuationPrefix = "##";

    /// <summary>A word of more code points than this is one [UNK].</summary>
    internal const int LongestWord = 100;

    // clean_up_tokenization_spaces of Hugging Face, in its order.
    private static readonly (string Apart, string Joined)[] CleanedSpaces =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    private readonly string[] tokens;
    private readonly WordPieceTokenizer wordPiece;

    private BertTokenizer(string[] tokens, BertTokenizerOptions options, string source)
    {
        this.tokens = tokens;
        Options = options;
        PaddingId = Require(options.PaddingToken, source);
        UnknownId = Require(options.UnknownToken, source);
        ClassificationId = Require(options.ClassificationToken, source);
        SeparatorId = Require(options.SeparatorToken, source);
        MaskId = Require(options.MaskToken, source);
        wordPiece = CreateWordPiece(tokens, options, source);
    }

    /// <summary>The settings in use.</summary>
    public BertTokenizerOptions Options { get; }

    /// <summary>The number of ids: they run from 0 to one less.</summary>
    public int VocabularySize => tokens.Length;

    /// <summary>The id of [CLS].</summary>
    public int ClassificationId { get; }

    /// <summary>The id of [SEP].</summary>
    public int SeparatorId { get; }

    /// <summary>The id of [PAD].</summary>
    public int PaddingId { get; }

    /// <summary>The id of [UNK].</summary>
    public int UnknownId { get; }

    /// <summary>The id of [MASK].</summary>
    public int MaskId { get; }

    /// <summary>[CLS], the longest prefix of word pieces that fits, [SEP], up to the model's own maximum.</summary>
    /// <returns>Ids, [sequence].</returns>
    public int[] Encode(string text) => Encode(text, Options.ModelMaxLength);

    /// <summary>[CLS], the longest prefix of word pieces that fits, [SEP].</summary>
    /// <param name="text">Any text; invalid UTF-16 is dropped as control characters are.</param>
    /// <param name="maxLength">Tokens at most, the two special ones included.</param>
    /// <returns>Ids, [sequence].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> is below 2.</exception>
    public int[] Encode(string text, int maxLength) => EncodeText(text, maxLength).InputIds;

    /// <summary>As <see cref="Encode(string, int)"/>, saying also what was lost.</summary>
    /// <inheritdoc cref="Encode(string, int)"/>
    public EncodedText EncodeText(string text, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        var ids = new List<int>(Math.Min(maxLength, 2 + text.Length / 3)) { ClassificationId };
        int unknown = 0;
        bool isTruncated = false;
        foreach (int id in PiecesOf(text))
        {
            isTruncated = ids.Count == maxLength - 1;
            if (isTruncated) break;
            ids.Add(id);
            if (id == UnknownId) unknown++;
        }
        ids.Add(SeparatorId);
        return new EncodedText([.. ids], unknown, isTruncated);
    }

    /// <summary>[CLS], first, [SEP], second, [SEP], truncated longest first as Hugging Face's tokenizers library does.</summary>
    /// <param name="first">The first text.</param>
    /// <param name="second">The second text.</param>
    /// <param name="maxLength">Tokens at most, the three special ones included.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> is below 3.</exception>
    public EncodedPair EncodePair(string first, string second, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 3);
        int[] firstPieces = [.. PiecesOf(first)];
        int[] secondPieces = [.. PiecesOf(second)];
        (int firstLength, int secondLength) = LongestFirst(firstPieces.Length, secondPieces.Length, maxLength - 3);
        int[] inputIds = [ClassificationId, .. firstPieces[..firstLength], SeparatorId, .. secondPieces[..secondLength], SeparatorId];
        int[] tokenTypeIds = new int[inputIds.Length];
        tokenTypeIds.AsSpan(firstLength + 2).Fill(1);
        return new EncodedPair(inputIds, tokenTypeIds, firstLength + secondLength < firstPieces.Length + secondPieces.Length);
    }

    /// <summary>The token of an id, such as <c>##ing</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string TokenOf(int id) => (uint)id < (uint)tokens.Length
        ? tokens[id]
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary's ids run from 0 to {tokens.Length - 1}.");

    /// <summary>The text that ids stand for, special tokens included, with the spaces before English punctuation taken out as Hugging Face does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        string text = string.Join(' ', ids.Select(TokenOf)).Replace(" " + ContinuationPrefix, "", StringComparison.Ordinal).Trim();
        foreach ((string apart, string joined) in CleanedSpaces) text = text.Replace(apart, joined, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The ids of a text's word pieces, found as they are asked for.</summary>
    private IEnumerable<int> PiecesOf(string text)
    {
        foreach ((int start, int size) in TextSegments.Of(text))
        {
            string normalized = wordPiece.Normalizer!.Normalize(text.AsSpan(start, size));
            foreach ((int offset, int length) in wordPiece.PreTokenizer!.PreTokenize(normalized))
            {
                foreach (int id in PiecesOf(normalized.AsSpan(offset, length))) yield return id;
            }
        }
    }

    // The library's limit counts UTF-16 units, the reference's code points, so the limit is kept here.
    private IReadOnlyList<int> PiecesOf(ReadOnlySpan<char> word) => word.Length > LongestWord && BertCharacters.CountCodePoints(word) > LongestWord
        ? [UnknownId]
        : wordPiece.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false);

    /// <summary>The lengths that two texts keep of <paramref name="budget"/> tokens: the longer is cut to what the shorter leaves, or both to half.</summary>
    private static (int First, int Second) LongestFirst(int first, int second, int budget)
    {
        if (first + second <= budget) return (first, second);
        int half = budget / 2;
        // The odd token goes to the longer text, and to the second of equals.
        (int firstHalf, int secondHalf) = first > second ? (budget - half, half) : (half, budget - half);
        if (first <= firstHalf) return (first, budget - first);
        return second <= secondHalf ? (budget - second, second) : (firstHalf, secondHalf);
    }
}

/// <summary>A text as the model reads it.</summary>
/// <param name="InputIds">[CLS], word pieces, [SEP]: [sequence].</param>
/// <param name="UnknownTokens">How many of the ids are [UNK].</param>
/// <param name="IsTruncated">Whether word pieces were left out at the end.</param>
public sealed record EncodedText(int[] InputIds, int UnknownTokens, bool IsTruncated);

/// <summary>Two texts as the model reads them.</summary>
/// <param name="InputIds">[CLS], the first text, [SEP], the second, [SEP]: [sequence].</param>
/// <param name="TokenTypeIds">0 up to the first [SEP], 1 after it: [sequence].</param>
/// <param name="IsTruncated">Whether word pieces of either text were left out.</param>
public sealed record EncodedPair(int[] InputIds, int[] TokenTypeIds, bool IsTruncated);

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
