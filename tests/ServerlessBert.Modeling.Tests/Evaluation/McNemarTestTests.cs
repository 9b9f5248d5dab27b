using ServerlessBert.Modeling.Evaluation;

namespace ServerlessBert.Modeling.Tests.Evaluation;

public class McNemarTestTests
{
    // Exact fractions: min(1, 2 * sum of C(n, k) for k up to the fewer, over 2^n).
    [Theory]
    [InlineData(0, 0, 1.0)]
    [InlineData(5, 0, 0.0625)]
    [InlineData(3, 7, 0.34375)]
    [InlineData(10, 2, 0.03857421875)]
    [InlineData(60, 40, 0.05688793364098079)]
    [InlineData(900, 1000, 0.02310884510890107)]
    [InlineData(2000, 2200, 0.0021323556719912346)]
    public void The_p_value_is_the_binomials_two_tails(int better, int worse, double expected)
    {
        Assert.Equal(expected, new McNemarTest(better, worse).PValue, 1e-10);
        Assert.Equal(expected, new McNemarTest(worse, better).PValue, 1e-10);
    }

    [Fact]
    public void Only_rows_where_one_alone_is_right_count() =>
        Assert.Equal(new McNemarTest(Better: 2, Worse: 1),
            McNemarTest.Of(truth: [0, 1, 2, 3, 4, 0], first: [0, 1, 2, 0, 0, 1], second: [1, 0, 2, 3, 1, 2]));
}
