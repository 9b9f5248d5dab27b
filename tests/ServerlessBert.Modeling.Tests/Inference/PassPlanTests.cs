using CsCheck;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Tests.Inference;

public sealed class PassPlanTests
{
    [Fact]
    public void Every_review_stands_in_one_pass_and_passes_are_of_like_size() =>
        Gen.Select(Gen.Int[2, 512].Array[1, 300], Gen.Int[1, 2048], Gen.Int[1, 8]).Sample((lengths, budget, workers) =>
        {
            PassPlan plan = PassPlan.Create(lengths, budget, workers);
            int[] sizes = [.. plan.Passes.Select(pass => pass.Sum(index => lengths[index]))];
            Assert.Equal(Enumerable.Range(0, lengths.Length), plan.Passes.SelectMany(pass => pass).Order());
            Assert.All(plan.Passes, pass => Assert.NotEmpty(pass));
            if (plan.Together) Assert.Single(plan.Passes);
            else Assert.True(sizes.Max() - sizes.Min() <= lengths.Max(), $"{sizes.Min()} to {sizes.Max()}");
        });

    [Fact]
    public void One_pass_has_about_the_budgets_tokens_at_most() =>
        Gen.Select(Gen.Int[2, 512].Array[1, 300], Gen.Int[512, 2048], Gen.Int[1, 8]).Sample((lengths, budget, workers) =>
        {
            PassPlan plan = PassPlan.Create(lengths, budget, workers);
            Assert.All(plan.Passes, pass => Assert.True(plan.Together || pass.Sum(index => lengths[index]) <= budget + lengths.Max()));
            if (plan.Together) Assert.True(lengths.Sum() <= budget * workers);
        });

    [Fact]
    public void Many_reviews_make_as_many_passes_as_keep_all_workers_busy_to_the_end() =>
        Assert.Equal(0, PassPlan.Create([.. Enumerable.Repeat(100, 1000)], 512, 4).Passes.Count % 4);

    [Fact]
    public void One_review_is_computed_by_all_workers_together()
    {
        Assert.True(PassPlan.Create([128], 512, 2).Together);
        Assert.True(PassPlan.Create([128, 20, 10], 512, 2).Together);
        Assert.False(PassPlan.Create([128, 120], 512, 2).Together);
        Assert.False(PassPlan.Create([128], 512, 1).Together);
    }

    [Fact]
    public void No_review_makes_no_pass() => Assert.Empty(PassPlan.Create([], 512, 2).Passes);
}
