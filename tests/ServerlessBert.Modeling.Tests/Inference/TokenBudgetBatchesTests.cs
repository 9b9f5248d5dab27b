using CsCheck;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Tests.Inference;

public class TokenBudgetBatchesTests
{
    [Fact]
    public void Every_review_stands_in_one_pass_and_no_pass_of_several_is_over_the_budget() =>
        Gen.Select(Gen.Int[0, 512].Array[0, 200], Gen.Int[1, 4096]).Sample((lengths, budget) =>
        {
            int[][] passes = [.. TokenBudgetBatches.Group(lengths, budget)];
            Assert.Equal(Enumerable.Range(0, lengths.Length), passes.SelectMany(pass => pass).Order());
            Assert.All(passes, pass => Assert.True(pass.Length == 1 || pass.Length * pass.Max(index => lengths[index]) <= budget));
        });

    [Fact]
    public void The_longest_come_first()
    {
        int[][] passes = [.. TokenBudgetBatches.Group([3, 9, 5, 9], tokenBudget: 18)];

        Assert.Equal([[1, 3], [2, 0]], passes);
    }
}
