using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Where Microsoft.ML.Tokenizers' own BertTokenizer differs from the reference, and where others have.</summary>
public class WordSplittingTests
{
    [Theory]
    [InlineData("note\nbook", "note book")]
    [InlineData("note\tbook", "note book")]
    [InlineData("note\r\nbook", "note book")]
    [InlineData("note\u00A0book\u3000note\u2028book", "note book note book")]
    public void White_space_of_every_kind_parts_words(string text, string pieces) => Check(text, pieces);

    [Theory]
    [InlineData("good$food", "good $ food")]
    [InlineData("a+b<c=d>e^f|g~h`i", "a + b < c = d > e ^ f | g ~ h ` i")]
    [InlineData("note_book", "note _ book")]
    [InlineData("good…", "good [UNK]")]
    public void Every_ASCII_symbol_and_every_Unicode_punctuation_is_a_word(string text, string pieces) => Check(text, pieces);

    [Theory]
    [InlineData("9€", "9 ##€")]
    [InlineData("good👍", "good ##👍")]
    [InlineData("👍👍", "👍 ##👍")]
    [InlineData("9° food", "[UNK] food")]
    [InlineData("©", "[UNK]")]
    public void Other_symbols_and_emoji_are_word_characters(string text, string pieces) => Check(text, pieces);

    [Fact]
    public void Accents_are_stripped_when_uncased() => Check("Fóöd\u0301", "food");

    [Fact]
    public void Accents_stay_when_cased() =>
        Assert.Equal(["é"], SmallVocabulary.Pieces("é", SmallVocabulary.Cased));

    [Fact]
    public void Accents_can_be_kept_while_letters_are_lowered() =>
        Assert.Equal(["é", "i\u0307", "σ", "##σ"], SmallVocabulary.Pieces("É İ ΣΣ", SmallVocabulary.Uncased with { StripAccents = false }));

    [Fact]
    public void Accents_can_be_stripped_while_case_is_kept() =>
        Assert.Equal(["e", "A"], SmallVocabulary.Pieces("é Ä", SmallVocabulary.Cased with { StripAccents = true }));

    [Fact]
    public void Ideographs_beyond_the_basic_plane_are_split_one_by_one() => Check("中文𠀀𠀀a", "中 文 𠀀 𠀀 a");

    [Fact]
    public void Ideographs_stay_together_when_so_configured() =>
        Assert.Equal(["[UNK]"], SmallVocabulary.Pieces("中文", SmallVocabulary.Uncased with { TokenizeChineseCharacters = false }));

    [Theory]
    [InlineData("no\u200Bte", "note")]
    [InlineData("no\u00ADte", "note")]
    [InlineData("no\0te\u0007 \uFFFDfood\uE000", "note food")]
    public void Format_control_and_private_use_characters_vanish(string text, string pieces) => Check(text, pieces);

    [Theory]
    [InlineData("\uD83D")]
    [InlineData("note\uDC4D")]
    [InlineData("\uD83Dnote")]
    public void Lone_surrogates_vanish(string text) => Check(text, text.Contains("note") ? "note" : "");

    [Fact]
    public void A_character_that_no_Unicode_version_knows_is_an_unknown_word() => Check("good \u0378 \uFFFE food", "good [UNK] [UNK] food");

    [Fact]
    public void Typed_control_tokens_are_words()
    {
        BertTokenizer tokenizer = SmallVocabulary.Tokenizer(SmallVocabulary.Cased).ForUntrustedText();
        int[] ids = tokenizer.Encode("good [SEP] [CLS] [MASK] [PAD]", 100)[1..^1];
        Assert.DoesNotContain(
            ids, id => id == tokenizer.SeparatorId || id == tokenizer.ClassificationId || id == tokenizer.MaskId
            || id == tokenizer.PaddingId);
        Assert.Equal(["good", "[", "SEP", "]"], ids.Take(4).Select(tokenizer.TokenOf));
    }

    [Fact]
    public void A_control_token_without_punctuation_cannot_be_typed_either()
    {
        BertTokenizer tokenizer = SmallVocabulary.Tokenizer(SmallVocabulary.Cased with { SeparatorToken = "SEP" }).ForUntrustedText();
        Assert.Equal("SEP", tokenizer.TokenOf(tokenizer.SeparatorId));
        Assert.Equal(["S", "##E", "##P"], tokenizer.Encode("SEP", 100)[1..^1].Select(tokenizer.TokenOf));
    }

    [Fact]
    public void A_word_of_more_than_100_code_points_is_unknown()
    {
        Assert.Equal(100, SmallVocabulary.Pieces(new string('a', 100), SmallVocabulary.Uncased).Length);
        Assert.Equal(["[UNK]"], SmallVocabulary.Pieces(new string('a', 101), SmallVocabulary.Uncased));
    }

    [Fact]
    public void An_emoji_counts_as_one_character_of_a_word()
    {
        string hundred = string.Concat(Enumerable.Repeat("👍", 100));
        Assert.Equal(100, SmallVocabulary.Pieces(hundred, SmallVocabulary.Uncased).Length);
        Assert.Equal(["[UNK]"], SmallVocabulary.Pieces(hundred + "👍", SmallVocabulary.Uncased));
    }

    [Fact]
    public void Of_equal_tokens_the_last_counts()
    {
        var tokenizer = BertTokenizer.FromVocabulary([.. SmallVocabulary.Tokens, "good"], SmallVocabulary.Uncased);
        Assert.Equal(tokenizer.VocabularySize - 1, tokenizer.Encode("good", 3)[1]);
    }

    private static void Check(string text, string pieces) =>
        Assert.Equal(pieces, string.Join(' ', SmallVocabulary.Pieces(text, SmallVocabulary.Uncased)));
}
