using CsCheck;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public class TruncationTests
{
    private static readonly BertTokenizer Tokenizer = SmallVocabulary.Tokenizer(SmallVocabulary.Uncased);

    private static readonly Gen<string> Words =
        Gen.OneOf("good", "foods", "xyz", "\n", "!", "👍", "é", "bad food").Array[0, 40].Select(words => string.Join(' ', words));

    [Fact]
    public void A_truncated_encoding_is_a_prefix_with_the_separator_kept() => Gen.Select(Words, Gen.Int[2, 60]).Sample((text, maxLength) =>
    {
        int[] whole = Tokenizer.Encode(text, int.MaxValue);
        EncodedText cut = Tokenizer.EncodeText(text, maxLength);
        Assert.Equal(Math.Min(whole.Length, maxLength), cut.InputIds.Length);
        Assert.Equal(whole.Take(cut.InputIds.Length - 1), cut.InputIds.SkipLast(1));
        Assert.Equal(Tokenizer.SeparatorId, cut.InputIds[^1]);
        Assert.Equal(whole.Length > maxLength, cut.IsTruncated);
    });

    [Fact]
    public void A_word_is_cut_inside() =>
        Assert.Equal(["good", "x", "##y"], SmallVocabulary.Pieces("good xyz", SmallVocabulary.Uncased, maxLength: 5));

    [Fact]
    public void Unknown_words_are_counted() => Assert.Equal(2, Tokenizer.EncodeText("good © food ©", 100).UnknownTokens);

    [Fact]
    public void White_space_after_the_last_word_that_fits_is_no_truncation() =>
        Assert.False(Tokenizer.EncodeText("good food \n", 4).IsTruncated);

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-5)]
    public void A_length_without_room_for_the_special_tokens_is_refused(int maxLength) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Encode("good", maxLength));

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 8, 0, 7)]
    [InlineData(2, 4, 2, 4)]
    [InlineData(2, 8, 2, 5)]
    [InlineData(4, 4, 3, 4)]
    [InlineData(4, 8, 3, 4)]
    [InlineData(8, 0, 7, 0)]
    [InlineData(8, 2, 5, 2)]
    [InlineData(8, 4, 4, 3)]
    [InlineData(8, 8, 3, 4)]
    public void The_longer_text_of_a_pair_is_cut_first(int first, int second, int firstKept, int secondKept)
    {
        EncodedPair pair = Tokenizer.EncodePair(Repeat("good", first), Repeat("bad", second), maxLength: 10);
        Assert.Equal(Tokenizer.Encode(Repeat("good", firstKept)).Concat(Tokenizer.Encode(Repeat("bad", secondKept)).Skip(1)),
            pair.InputIds);
        Assert.Equal(Enumerable.Repeat(0, firstKept + 2).Concat(Enumerable.Repeat(1, secondKept + 1)), pair.TokenTypeIds);
        Assert.Equal(first + second > firstKept + secondKept, pair.IsTruncated);
    }

    [Fact]
    public void A_pair_needs_room_for_three_special_tokens() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.EncodePair("good", "bad", 2));

    [Fact]
    public void A_long_text_has_the_ids_of_its_words_one_by_one() =>
        Gen.Select(Words.Array[1, 60], Gen.OneOf(" ", "!", "\n", "中")).Sample((parts, between) =>
    {
        string text = string.Concat(parts.Select(part => part + Repeat("food", 60) + between));
        IEnumerable<int> apart = parts.SelectMany(part => Tokenizer.Encode(part + Repeat("food", 60) + between, int.MaxValue)[1..^1]);
        Assert.Equal(apart, Tokenizer.Encode(text, int.MaxValue)[1..^1]);
    }, iter: 200);

    [Fact]
    public void A_long_text_costs_what_its_kept_tokens_cost()
    {
        string page = Repeat("good food!", 1_000), book = Repeat("good food!", 1_000_000);
        Tokenizer.Encode(page, 512);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Tokenizer.Encode(page, 512);
        long pageBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Tokenizer.Encode(book, 512);
        long bookBytes = GC.GetAllocatedBytesForCurrentThread() - before - pageBytes;
        Assert.InRange(bookBytes, 0, pageBytes * 2);
    }

    private static string Repeat(string word, int times) => string.Join(' ', Enumerable.Repeat(word, times));
}
