using System.Diagnostics;
using CsCheck;
using CsvHelper;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Testing;
using Xunit.Abstractions;

namespace ServerlessBert.Modeling.Tests.Tokenization;

public class WordPieceTrainerTests(ITestOutputHelper output)
{
    private static readonly string[] Corpus =
        [.. Enumerable.Range(0, 300)
            .Select(index => $"The waiter waited, waiting for Émile's {index} hotter hotdogs 👍 中文 – we re-ordered {index % 7} hot dogs!")];

    [Fact]
    public void Special_tokens_come_first_with_padding_at_id_0() =>
        Assert.Equal(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], WordPieceTrainer.Train(Corpus).Take(5));

    [Theory]
    [InlineData(MergeScore.Frequency)]
    [InlineData(MergeScore.Likelihood)]
    public void The_same_texts_in_any_order_give_the_same_vocabulary(MergeScore score) => Gen.Shuffle(Corpus).Sample(shuffled =>
    {
        var options = new WordPieceTrainerOptions { VocabularySize = 200, Score = score };
        Assert.Equal(WordPieceTrainer.Train(Corpus, options), WordPieceTrainer.Train(shuffled, options));
    }, iter: 10);

    [Theory]
    [InlineData(MergeScore.Frequency)]
    [InlineData(MergeScore.Likelihood)]
    public void The_corpus_is_encoded_without_unknown_words(MergeScore score)
    {
        var options = new WordPieceTrainerOptions { VocabularySize = 150, Score = score };
        var tokenizer = BertTokenizer.FromVocabulary(WordPieceTrainer.Train(Corpus, options), options.Tokenizer);
        Assert.All(Corpus, text => Assert.Equal(0, tokenizer.EncodeText(text, int.MaxValue).UnknownTokens));
    }

    [Fact]
    public void Any_corpus_within_the_alphabet_limit_is_encoded_without_unknown_words() =>
        Gen.String[Gen.Char[' ', '\u04FF'], 1, 60].Array[1, 20].Select(Gen.Enum<MergeScore>(), Gen.Bool).Sample((texts, score, lowerCase) =>
        {
            string[] corpus = [.. texts, "a word"];
            var options = new WordPieceTrainerOptions
            {
                VocabularySize = 3_000,
                MinimumFrequency = 1,
                Score = score,
                Tokenizer = new BertTokenizerOptions { LowerCase = lowerCase }
            };
            IReadOnlyList<string> tokens = WordPieceTrainer.Train(corpus, options);
            Assert.Equal(tokens.Count, tokens.Distinct().Count());
            var tokenizer = BertTokenizer.FromVocabulary(tokens, options.Tokenizer);
            Assert.All(corpus, text => Assert.Equal(0, tokenizer.EncodeText(text, int.MaxValue).UnknownTokens));
        }, iter: 200);

    [Fact]
    public void Every_character_within_the_alphabet_limit_is_a_token_and_the_rarer_ones_are_not()
    {
        string[] texts = ["aaa aab abz", "aab"];
        IReadOnlyList<string> all = WordPieceTrainer.Train(texts);
        Assert.All(["a", "b", "z", "##a", "##b", "##z"], token => Assert.Contains(token, all));
        IReadOnlyList<string> two = WordPieceTrainer.Train(texts, new WordPieceTrainerOptions { AlphabetLimit = 2 });
        Assert.Contains("b", two);
        Assert.DoesNotContain(two, token => token.Contains('z'));
    }

    [Fact]
    public void The_most_frequent_pair_is_merged_first() =>
        Assert.Equal(["aa", "aab"], WordPieceTrainer.Train(["aab aab aab aac"]).Skip(5 + 3 + 3));

    [Fact]
    public void Likelihood_merges_first_what_stands_together_always()
    {
        // "xy" is half as frequent as "ab", but x and y never stand apart.
        string[] texts = ["ab ab ab ab a b ac cb xy xy"];
        Assert.Equal("ab",
            WordPieceTrainer.Train(texts).First(token => token.Length > 1 && !token.StartsWith("##") && !token.StartsWith('[')));
        Assert.Equal("xy", WordPieceTrainer.Train(texts, new WordPieceTrainerOptions { Score = MergeScore.Likelihood })
            .First(token => token.Length > 1 && !token.StartsWith("##") && !token.StartsWith('[')));
    }

    [Fact]
    public void A_pair_rarer_than_the_minimum_is_not_merged() =>
        Assert.DoesNotContain("ab", WordPieceTrainer.Train(["ab ab cd cd cd"], new WordPieceTrainerOptions { MinimumFrequency = 3 }));

    [Theory]
    [InlineData(MergeScore.Frequency)]
    [InlineData(MergeScore.Likelihood)]
    public void Every_merge_is_the_best_of_a_full_recount(MergeScore score)
    {
        var options = new WordPieceTrainerOptions { VocabularySize = 120, Score = score };
        Assert.Equal(RecountingTrainer.Train(Corpus, options), WordPieceTrainer.Train(Corpus, options));
    }

    [Fact]
    public void A_vocabulary_too_small_for_the_characters_is_refused_with_the_size_needed()
    {
        string message =
            Assert.Throws<ArgumentException>(
            () => WordPieceTrainer.Train(["abc"], new WordPieceTrainerOptions { VocabularySize = 9 })).Message;
        Assert.Contains("ask for at least 10", message);
    }

    [Fact]
    public void Texts_without_a_word_are_refused() => Assert.Throws<ArgumentException>(() => WordPieceTrainer.Train([" \n", ""]));

    [Fact]
    public void A_cancelled_training_stops() =>
        Assert.Throws<OperationCanceledException>(
            () => WordPieceTrainer.Train(Corpus, cancellationToken: new CancellationToken(canceled: true)));

    [SharedDataTheory]
    [InlineData(MergeScore.Frequency, 2, 1.1)]
    [InlineData(MergeScore.Likelihood, 20, 1.4)]
    public void Real_reviews_give_within_seconds_a_vocabulary_that_spells_unseen_ones_in_few_pieces(
        MergeScore score, int minimumFrequency, double mostPiecesPerWord)
    {
        // The time is many times what an idle core needs: other tests run beside this one.
        string[] train = Reviews("yelp-train.csv"), test = Reviews("yelp-test.csv");
        var options = new WordPieceTrainerOptions { Score = score, MinimumFrequency = minimumFrequency };
        var watch = Stopwatch.StartNew();
        IReadOnlyList<string> tokens = WordPieceTrainer.Train(train, options);
        double seconds = watch.Elapsed.TotalSeconds;
        Assert.Equal(8_000, tokens.Count);
        Assert.InRange(seconds, 0, 30);

        var tokenizer = BertTokenizer.FromVocabulary(tokens, options.Tokenizer);
        var encoded = test.Select(text => tokenizer.EncodeText(text, int.MaxValue)).ToList();
        double pieces = encoded.Sum(text => text.InputIds.Length - 2), words = WordCounts.Of(test, options.Tokenizer, default).Values.Sum();
        output.WriteLine(
            $"{score}: {seconds:F2} s, {pieces / words:F4} pieces a word, {encoded.Sum(text => text.UnknownTokens)} unknown in "
                + $"{pieces} pieces of unseen reviews");
        Assert.InRange(pieces / words, 1, mostPiecesPerWord);
    }

    /// <summary>Of review_id, stars, date, text.</summary>
    private const int TextColumn = 3;

    private static string[] Reviews(string file)
    {
        using var csv = CsvReader.FromFile(SharedData.PathOf("reviews", file), new CsvReaderOptions { HasHeader = true });
        var texts = new List<string>();
        while (csv.Read()) texts.Add(csv.Current.GetString(TextColumn));
        return [.. texts];
    }
}
