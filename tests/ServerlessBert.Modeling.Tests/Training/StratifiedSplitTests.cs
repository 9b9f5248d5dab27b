using CsCheck;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Training;

public class StratifiedSplitTests
{
    [Fact]
    public void Each_side_has_the_same_share_of_every_label()
    {
        LabelledReview[] reviews = [.. Enumerable.Range(0, 1000).Select(row => new LabelledReview($"text {row}", row % 5 == 0 ? 0 : 4))];

        StratifiedSplit split = StratifiedSplit.Of(reviews, 0.1, seed: 1);

        Assert.Equal(20, split.Evaluation.Count(review => review.Label == 0));
        Assert.Equal(80, split.Evaluation.Count(review => review.Label == 4));
    }

    [Fact]
    public void Nothing_is_lost_and_copies_of_a_text_stay_on_one_side() =>
        Gen.Select(Gen.Int[0, 40].Array[1, 120], Gen.Double[0, 0.9], Gen.Int).Sample((ids, fraction, seed) =>
        {
            LabelledReview[] reviews = [.. ids.Select(id => new LabelledReview($"text {id}", id % 5))];
            StratifiedSplit split = StratifiedSplit.Of(reviews, fraction, seed);
            Assert.Equal(reviews.Length, split.Train.Count + split.Evaluation.Count);
            Assert.Empty(split.Train.Select(review => review.Text).Intersect(split.Evaluation.Select(review => review.Text)));
            Assert.NotEmpty(split.Train);
        });

    [Fact]
    public void A_fraction_of_zero_holds_nothing_out() =>
        Assert.Empty(StratifiedSplit.Of([new LabelledReview("a", 0), new LabelledReview("b", 1)], 0, seed: 1).Evaluation);

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.0)]
    public void A_fraction_out_of_range_is_named(double fraction) =>
        Assert.Contains("fraction", Assert.Throws<TrainingException>(() => StratifiedSplit.Of([], fraction, 1)).Message);

    [Fact]
    public void By_text_hash_a_texts_side_does_not_change_when_other_rows_come()
    {
        LabelledReview[] before = [.. Enumerable.Range(0, 500).Select(row => new LabelledReview($"text {row}", row % 5))];
        LabelledReview[] after = [.. Enumerable.Range(0, 2000).Select(row => new LabelledReview($"text {row}", row % 5))];

        var heldOutBefore = StratifiedSplit.ByTextHash(before, 0.1, seed: 1).Evaluation.ToHashSet();
        var heldOutAfter = StratifiedSplit.ByTextHash(after, 0.1, seed: 1).Evaluation.ToHashSet();

        Assert.Equal(heldOutBefore, heldOutAfter.Intersect(before).ToHashSet());
        Assert.InRange(heldOutAfter.Count, 150, 250);
    }

    [Fact]
    public void A_text_that_is_measured_on_is_not_learned_from()
    {
        StratifiedSplit split = StratifiedSplit.Given([new("a", 0), new("b", 1), new("a", 2)], [new("a", 0), new("c", 1)]);

        Assert.Equal(["b"], split.Train.Select(review => review.Text));
        Assert.Equal(["a", "c"], split.Evaluation.Select(review => review.Text));
    }
}
