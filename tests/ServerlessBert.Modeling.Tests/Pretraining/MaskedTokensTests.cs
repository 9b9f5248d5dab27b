using CsCheck;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Pretraining;

public sealed class MaskedTokensTests
{
    private static readonly BertTokenizer Tokenizer = Wide();
    private static readonly MaskingVocabulary Vocabulary = new(Tokenizer);

    private static readonly Gen<int[]> Rows = Gen.Int[0, Tokenizer.VocabularySize - 1].Array[1, 200];

    [Fact]
    public void A_masked_row_differs_from_the_row_at_its_positions_only_and_never_at_special_tokens() =>
        Gen.Select(Rows, Gen.Double[0.01, 0.99], Gen.Int).Sample((ids, rate, seed) =>
        {
            int[] before = [.. ids];
            MaskedTokens masked = MaskedTokens.Of(ids, Vocabulary, rate, new Random(seed));

            Assert.Equal(before, ids);
            Assert.Equal(masked.Positions.Select(position => ids[position]), masked.Labels);
            Assert.Equal(masked.Positions.Distinct().Order(), masked.Positions);
            Assert.DoesNotContain(masked.Labels, Vocabulary.IsSpecial);
            for (int position = 0; position < ids.Length; position++)
            {
                if (masked.InputIds[position] == ids[position]) continue;
                Assert.Contains(position, masked.Positions);
                Assert.True(masked.InputIds[position] == Tokenizer.MaskId || !Vocabulary.IsSpecial(masked.InputIds[position]));
            }
        });

    [Fact]
    public void The_rate_is_met_to_half_a_token_and_something_is_always_asked() =>
        Gen.Select(Rows, Gen.Double[0.01, 0.99], Gen.Int).Sample((ids, rate, seed) =>
        {
            int ordinary = ids.Count(id => !Vocabulary.IsSpecial(id));
            int asked = MaskedTokens.Of(ids, Vocabulary, rate, new Random(seed)).Positions.Length;
            Assert.InRange(asked, Math.Min(1, ordinary), ordinary);
            Assert.True(asked == 1 || Math.Abs(asked - rate * ordinary) <= 0.5);
        });

    [Fact]
    public void Eight_of_ten_are_masked_one_is_replaced_and_one_stays_and_all_places_are_as_likely()
    {
        const int rows = 4000, length = 100;
        int[] ids = [.. Enumerable.Range(0, length).Select(index => Tokenizer.VocabularySize - 1 - index)];
        var random = new Random(1);
        int masked = 0, replaced = 0, kept = 0;
        int[] chosen = new int[length];
        for (int row = 0; row < rows; row++)
        {
            MaskedTokens one = MaskedTokens.Of(ids, Vocabulary, 0.15, random);
            for (int i = 0; i < one.Positions.Length; i++)
            {
                chosen[one.Positions[i]]++;
                int now = one.InputIds[one.Positions[i]];
                if (now == Tokenizer.MaskId) masked++;
                else if (now == one.Labels[i]) kept++;
                else replaced++;
            }
        }

        double all = masked + replaced + kept; // 60,000: five standard errors are 0.008 of a share of 0.8, 0.006 of 0.1
        Assert.Equal(15 * rows, all);
        Assert.InRange(masked / all, 0.792, 0.808);
        Assert.InRange(replaced / all, 0.094, 0.106); // a drawn token is the old one once in 500 times
        Assert.InRange(kept / all, 0.094, 0.106);
        Assert.All(chosen, count => Assert.InRange(count, 0.15 * rows - 120, 0.15 * rows + 120));
    }

    [Fact]
    public void The_same_seed_gives_the_same_masks_and_the_next_call_others()
    {
        int[] ids = [.. Enumerable.Range(10, 100)];
        var (first, second) = (new Random(5), new Random(5));

        MaskedTokens one = MaskedTokens.Of(ids, Vocabulary, 0.15, first), same = MaskedTokens.Of(ids, Vocabulary, 0.15, second);

        Assert.Equal(one.InputIds, same.InputIds);
        Assert.Equal(one.Positions, same.Positions);
        Assert.NotEqual(one.Positions, MaskedTokens.Of(ids, Vocabulary, 0.15, first).Positions);
    }

    [Fact]
    public void A_vocabulary_of_special_tokens_alone_is_refused()
    {
        var tokenizer = BertTokenizer.FromVocabulary(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], new BertTokenizerOptions { LowerCase = true });
        Assert.Contains("only special tokens", Assert.Throws<ArgumentException>(() => new MaskingVocabulary(tokenizer)).Message);
    }

    // Special tokens in the middle, as BERT's own vocabularies have them.
    private static BertTokenizer Wide() => BertTokenizer.FromVocabulary(
        [.. Enumerable.Range(0, 50).Select(index => $"a{index}"), "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
            .. Enumerable.Range(0, 450).Select(index => $"b{index}")],
        new BertTokenizerOptions { LowerCase = true });
}
