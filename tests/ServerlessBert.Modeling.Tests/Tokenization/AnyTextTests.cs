using CsCheck;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Modeling.Tests.Tokenization;

/// <summary>Laws that hold for every text.</summary>
public class AnyTextTests
{
    private static readonly BertTokenizer Uncased = SmallVocabulary.Tokenizer(SmallVocabulary.Uncased).ForUntrustedText();

    private static readonly BertTokenizer Cased = SmallVocabulary.Tokenizer(SmallVocabulary.Cased).ForUntrustedText();

    /// <summary>UTF-16 units of any value, lone surrogates among them, mixed with letters and spaces.</summary>
    private static readonly Gen<string> Units = Gen.Frequency(
        (4, Gen.Char['\0', '\uFFFF']), (2, Gen.Char['\uD800', '\uDFFF']), (3, Gen.Char[' ', '~']), (1, Gen.Char['\u0300', '\u036F']))
        .Array[0, 300].Select(units => new string(units));

    [Fact]
    public void Any_text_gives_ids_of_the_vocabulary_between_the_special_tokens() =>
        Gen.Select(Units, Gen.Bool, Gen.Int[2, 200]).Sample((text, isCased, maxLength) =>
    {
        BertTokenizer tokenizer = isCased ? Cased : Uncased;
        int[] ids = tokenizer.Encode(text, maxLength);
        Assert.InRange(ids.Length, 2, maxLength);
        Assert.Equal(tokenizer.ClassificationId, ids[0]);
        Assert.Equal(tokenizer.SeparatorId, ids[^1]);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        Assert.DoesNotContain(
            ids[1..^1], id =>
            id == tokenizer.SeparatorId || id == tokenizer.ClassificationId || id == tokenizer.PaddingId || id == tokenizer.MaskId);
    }, iter: 20_000);

    [Fact]
    public void Decoding_an_encoding_gives_the_words_again() =>
        Gen.String[Gen.Char['a', 'z'], 1, 12].Array[0, 30].Sample(words =>
        {
            string text = string.Join(' ', words);
            Assert.Equal($"[CLS] {text} [SEP]".Replace("  ", " "), Cased.Decode(Cased.Encode(text)));
        });

    [Fact]
    public void Normalizing_a_second_time_changes_nothing() => Units.Sample(text =>
    {
        var normalizer = new BertNormalizer(SmallVocabulary.Uncased with { TokenizeChineseCharacters = false });
        string once = normalizer.Normalize(text);
        Assert.Equal(once, normalizer.Normalize(once));
    });

    [Fact]
    public void The_culture_of_the_process_does_not_matter()
    {
        var before = System.Globalization.CultureInfo.CurrentCulture;
        int[] expected = Uncased.Encode("TITLE Iİı good");
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = new System.Globalization.CultureInfo("tr-TR");
            Assert.Equal(expected, Uncased.Encode("TITLE Iİı good"));
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Many_threads_get_what_one_gets()
    {
        string[] texts = [.. Enumerable.Range(0, 2_000).Select(index => $"Good food{index} é👍 note\n{index}!")];
        string[] alone = [.. texts.Select(text => string.Join(' ', Uncased.Encode(text)))];
        Assert.Equal(alone,
            texts.AsParallel().AsOrdered().WithDegreeOfParallelism(4).Select(text => string.Join(' ', Uncased.Encode(text))));
    }

    [Fact]
    public void An_id_outside_of_the_vocabulary_has_no_token()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Uncased.TokenOf(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Uncased.Decode([Uncased.VocabularySize]));
    }
}
