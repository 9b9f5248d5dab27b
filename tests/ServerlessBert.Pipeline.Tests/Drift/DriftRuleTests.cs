using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Pipeline.Drift;
using ServerlessBert.Pipeline.Predictions;

namespace ServerlessBert.Pipeline.Tests.Drift;

public sealed class DriftRuleTests
{
    private static readonly PredictionBaseline Baseline = new()
    {
        Rows = 1000,
        Stars = [200, 200, 200, 200, 200],
        MeanConfidence = 0.8,
        ConfidenceDeviation = 0.2,
        Tokens = 100_000,
        UnknownTokens = 1_000,
    };

    private static readonly DriftOptions Options = new();

    [Fact]
    public void The_same_mix_is_no_drift()
    {
        DriftReport report = DriftRule.Compare(File([100, 101, 99, 102, 98]), Baseline, Options);

        Assert.False(report.IsDrifted);
        Assert.Null(report.Reason);
        Assert.InRange(report.StarsIndex!.Value, 0, 0.01m);
    }

    [Fact]
    public void Another_star_mix_is_flagged_with_its_number()
    {
        DriftReport report = DriftRule.Compare(File([20, 30, 50, 100, 300]), Baseline, Options);

        Assert.Equal(["stars"], report.Flags);
        Assert.Contains("population stability index", report.Reason);
        Assert.True(report.StarsIndex > 0.2m);
    }

    [Fact]
    public void The_index_is_the_sum_that_the_literature_gives()
    {
        // (0.5 - 0.2) ln(0.5 / 0.2) + (0.5 - 0.8) ln(0.5 / 0.8)
        Assert.Equal((0.3 * Math.Log(2.5)) - (0.3 * Math.Log(0.625)), DriftRule.StabilityIndex([500_000, 500_000], [200_000, 800_000]), 4);
        Assert.True(double.IsFinite(DriftRule.StabilityIndex([100, 0], [0, 100])));
    }

    [Theory]
    [InlineData(0.72, "confidence")]
    [InlineData(0.88, "confidence")]
    [InlineData(0.77, null)]
    public void A_confidence_that_is_far_from_the_baselines_is_flagged(double mean, string? flag) =>
        Assert.Equal(flag is null ? [] : [flag], DriftRule.Compare(File([100, 100, 100, 100, 100], mean), Baseline, Options).Flags);

    [Theory]
    [InlineData(0.04, "unknownTokens")]
    [InlineData(0.02, null)]
    [InlineData(0.0, null)]
    public void More_unknown_tokens_are_flagged_and_fewer_are_not(double share, string? flag) =>
        Assert.Equal(flag is null ? []
            : [flag], DriftRule.Compare(File([100, 100, 100, 100, 100], unknown: share), Baseline, Options).Flags);

    [Fact]
    public void Too_few_rows_say_nothing()
    {
        DriftReport report = DriftRule.Compare(File([0, 0, 0, 0, 199]), Baseline, Options);

        Assert.False(report.IsDrifted);
        Assert.Null(report.StarsIndex);
        Assert.Contains("too few", report.Reason);
    }

    [Fact]
    public void Files_that_are_drawn_from_the_baselines_mix_are_rarely_flagged()
    {
        var random = new Random(5);
        int flagged = 0;
        for (int file = 0; file < 2000; file++)
        {
            long[] stars = Draw(random, 200);
            PredictionBaseline drawn = Baseline with { Rows = 200, Stars = Draw(random, 200) };
            if (DriftRule.Compare(File(stars), drawn, Options).IsDrifted) flagged++;
        }
        Assert.InRange(flagged, 0, 6); // about one in a thousand, by the rule
    }

    private static long[] Draw(Random random, int rows)
    {
        long[] stars = new long[5];
        for (int row = 0; row < rows; row++) stars[random.Next(5)]++;
        return stars;
    }

    private static BatchStatistics File(long[] stars, double confidence = 0.8, double unknown = 0.01)
    {
        long rows = stars.Sum();
        return new BatchStatistics
        {
            Rows = rows,
            Predictions = rows,
            Stars = stars.Select((count, index) => (index + 1, count)).ToDictionary(pair => pair.Item1, pair => pair.count),
            ConfidenceSum = (decimal)confidence * rows,
            Tokens = rows * 100,
            UnknownTokens = (long)(rows * 100 * unknown),
        };
    }
}
