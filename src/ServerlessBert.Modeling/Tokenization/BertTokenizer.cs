using System.Text;
using Microsoft.ML.Tokenizers;

namespace ServerlessBert.Modeling.Tokenization;

/// <summary>
/// The reference BertTokenizer's ids (Devlin et al. 2018, arXiv:1810.04805; Hugging Face's BertTokenizerFast) over
/// Microsoft.ML.Tokenizers' WordPiece, with the reference's normalizing and splitting. Safe to use from many threads.
/// </summary>
/// <remarks>
/// As in the reference, "[SEP]" in a text is the token's id. Where texts are other people's, <see cref="ForUntrustedText"/> reads
/// it as three words.
/// </remarks>
public sealed partial class BertTokenizer
{
    /// <summary>Marks a piece that continues a word.</summary>
    internal const string ContinuationPrefix = "##";

    /// <summary>A word of more code points than this is one [UNK].</summary>
    internal const int LongestWord = 100;

    // clean_up_tokenization_spaces of Hugging Face, in its order.
    private static readonly (string Apart, string Joined)[] CleanedSpaces =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"),
            (" 're", "'re")];

    private readonly Vocabulary vocabulary;
    private readonly string source;
    private readonly bool isForUntrustedText;
    private readonly IReadOnlyList<AddedToken> added;
    private readonly AddedTokenMatcher inText;
    private readonly AddedTokenMatcher inNormalizedText;
    private readonly WordPieceTokenizer wordPiece;

    private BertTokenizer(
        Vocabulary vocabulary, BertTokenizerOptions options, string source, bool isForUntrustedText = false,
        WordPieceTokenizer? sameWords = null)
    {
        (this.vocabulary, Options, this.source, this.isForUntrustedText) = (vocabulary, options, source, isForUntrustedText);
        PaddingId = Require(vocabulary, options.PaddingToken, source);
        UnknownId = Require(vocabulary, options.UnknownToken, source);
        ClassificationId = Require(vocabulary, options.ClassificationToken, source);
        SeparatorId = Require(vocabulary, options.SeparatorToken, source);
        MaskId = vocabulary.IdOf(options.MaskToken);
        added = WithControlTokens();
        var normalizer = new BertNormalizer(options);
        AddedToken[] found = [.. added.Where(token => !IsLeftToWords(token))];
        inText = new AddedTokenMatcher(found.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        inNormalizedText =
            new AddedTokenMatcher(found.Where(token => token.IsNormalized).Select(token => (normalizer.Normalize(token.Content), token)));
        wordPiece = sameWords ?? CreateWordPiece(normalizer, options, source);
    }

    /// <summary>The settings in use.</summary>
    public BertTokenizerOptions Options { get; }

    /// <summary>The number of ids: they run from 0 to one less.</summary>
    public int VocabularySize => Tokens.Length;

    /// <summary>
    /// The tokens that are found in a text before it is split into words: the special ones, and those that the checkpoint adds.
    /// </summary>
    public IReadOnlyList<AddedToken> AddedTokens => added;

    /// <summary>The id of [CLS].</summary>
    public int ClassificationId { get; }

    /// <summary>The id of [SEP].</summary>
    public int SeparatorId { get; }

    /// <summary>The id of [PAD].</summary>
    public int PaddingId { get; }

    /// <summary>The id of [UNK].</summary>
    public int UnknownId { get; }

    /// <summary>The id of [MASK]; null where the vocabulary has none, which only masked language modelling needs.</summary>
    public int? MaskId { get; }

    private string[] Tokens => vocabulary.Tokens;

    /// <summary>
    /// The same tokenizer for texts of other people, which are data: no text becomes a control token ([PAD], [UNK], [CLS], [SEP],
    /// [MASK] or what the checkpoint has in their place).
    /// </summary>
    public BertTokenizer ForUntrustedText() => isForUntrustedText
        ? this
        : new BertTokenizer(vocabulary, Options, source, isForUntrustedText: true, ControlTokens.Any(IsWord) ? null : wordPiece);

    /// <summary>The same vocabulary under other settings.</summary>
    /// <exception cref="InvalidDataException">The vocabulary lacks a special token of these settings.</exception>
    public BertTokenizer With(BertTokenizerOptions options) => new(vocabulary, options, source, isForUntrustedText);

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
        if (Options.TruncationSide == TruncationSide.Left) return EncodeEnd([.. PiecesOf(text)], maxLength);
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

    private EncodedText EncodeEnd(int[] pieces, int maxLength)
    {
        int[] kept = pieces[Math.Max(0, pieces.Length - (maxLength - 2))..];
        return new EncodedText([ClassificationId, .. kept, SeparatorId], kept.Count(id => id == UnknownId), kept.Length < pieces.Length);
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
        int[] inputIds =
            [ClassificationId, .. Kept(firstPieces, firstLength), SeparatorId, .. Kept(secondPieces, secondLength), SeparatorId];
        int[] tokenTypeIds = new int[inputIds.Length];
        tokenTypeIds.AsSpan(firstLength + 2).Fill(1);
        return new EncodedPair(inputIds, tokenTypeIds, firstLength + secondLength < firstPieces.Length + secondPieces.Length);
    }

    private int[] Kept(int[] pieces, int length) => Options.TruncationSide == TruncationSide.Left ? pieces[^length..] : pieces[..length];

    /// <summary>The token of an id, such as <c>##ing</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string TokenOf(int id) => (uint)id < (uint)Tokens.Length
        ? Tokens[id]
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary's ids run from 0 to {Tokens.Length - 1}.");

    /// <summary>
    /// The text that ids stand for, special tokens included, with the spaces before English punctuation taken out as Hugging Face
    /// does.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        string text = string.Join(' ', ids.Select(TokenOf)).Replace(" " + ContinuationPrefix, "", StringComparison.Ordinal).Trim();
        foreach ((string apart, string joined) in CleanedSpaces) text = text.Replace(apart, joined, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The ids of a text's added tokens and word pieces, found as they are asked for.</summary>
    private IEnumerable<int> PiecesOf(string text)
    {
        foreach (TextPiece piece in inText.Split(text))
        {
            if (piece.Id is int id) yield return id;
            else foreach (int inner in PiecesBetween(text, piece)) yield return inner;
        }
    }

    private IEnumerable<int> PiecesBetween(string text, TextPiece between)
    {
        // An added token may span segments, so that they are not cut where there are any.
        foreach ((int start, int size) in inNormalizedText.IsEmpty ? TextSegments.Of(text, between) : [(between.Start, between.Length)])
        {
            string normalized = wordPiece.Normalizer!.Normalize(text.AsSpan(start, size));
            foreach (TextPiece piece in inNormalizedText.Split(normalized))
            {
                if (piece.Id is int id)
                {
                    yield return id;
                    continue;
                }
                string part = piece.Length == normalized.Length ? normalized : normalized.Substring(piece.Start, piece.Length);
                foreach ((int offset, int length) in wordPiece.PreTokenizer!.PreTokenize(part))
                {
                    foreach (int inner in PiecesOf(part.AsSpan(offset, length))) yield return inner;
                }
            }
        }
    }

    private bool IsControl(int id) => ControlTokens.Contains(id);

    private bool IsLeftToWords(AddedToken token) =>
        (Options.SplitSpecialTokens && token.IsSpecial) || (isForUntrustedText && IsControl(token.Id));

    private IEnumerable<int> ControlTokens =>
        ((int?[])[PaddingId, UnknownId, ClassificationId, SeparatorId, MaskId]).OfType<int>().Distinct();

    private IReadOnlyList<AddedToken> WithControlTokens() =>
        [.. vocabulary.Added,
            .. ControlTokens.Except(vocabulary.Added.Select(token => token.Id)).Select(id => AddedToken.Special(id, Tokens[id]))];

    // Whether splitting leaves it whole, so that it could be typed.
    private bool IsWord(int id) =>
        !Tokens[id].EnumerateRunes().Any(rune => BertCharacters.IsPunctuation(rune) || BertCharacters.IsWhiteSpace(rune));

    // The library's limit counts UTF-16 units, the reference's code points, so the limit is kept here.
    private IReadOnlyList<int> PiecesOf(ReadOnlySpan<char> word) =>
        word.Length > LongestWord && BertCharacters.CountCodePoints(word) > LongestWord
        ? [UnknownId]
        : wordPiece.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false);

    /// <summary>
    /// The lengths that two texts keep of <paramref name="budget"/> tokens: the longer is cut to what the shorter leaves, or both
    /// to half.
    /// </summary>
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
/// <param name="IsTruncated">Whether word pieces were left out.</param>
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

    /// <summary>Consecutive segments that make up the whole text.</summary>
    public static IEnumerable<(int Offset, int Length)> Of(string text) => Of(text, new TextPiece(0, text.Length, null));

    /// <summary>
    /// Consecutive segments that make up a piece of the text; each ends after white space or punctuation, except the last.
    /// </summary>
    public static IEnumerable<(int Offset, int Length)> Of(string text, TextPiece piece)
    {
        (int start, int last) = (piece.Start, piece.Start + piece.Length);
        while (last - start > MinimumLength)
        {
            int end = start + MinimumLength;
            while (end < last && !IsBoundary(text[end - 1])) end++;
            yield return (start, end - start);
            start = end;
        }
        if (start < last) yield return (start, last - start);
    }

    // A surrogate is no boundary, so that pairs stay together.
    private static bool IsBoundary(char character) => Rune.TryCreate(character, out Rune rune)
        && (BertCharacters.IsWhiteSpace(rune) || BertCharacters.IsPunctuation(rune));
}
