using ServerlessBert.Modeling;

namespace ServerlessBert.Trainer.Tests;

public class PromotionGateTests
{
    [Fact]
    public void The_first_model_goes_live()
    {
        PromotionGate gate = PromotionGate.Decide(WithAccuracy(right: 3), null, null, tolerance: 0);

        Assert.True(gate.Passed);
        Assert.Contains("no model was live", gate.Reason);
    }

    [Theory]
    [InlineData(6, 5, 0.0, true)]
    [InlineData(5, 5, 0.0, true)]
    [InlineData(4, 5, 0.0, false)]
    [InlineData(4, 5, 0.1001, true)]
    [InlineData(3, 5, 0.1001, false)]
    public void A_candidate_goes_live_unless_it_is_worse_by_more_than_the_tolerance(int candidate, int current, double tolerance, bool passes)
    {
        PromotionGate gate = PromotionGate.Decide(WithAccuracy(candidate), "live", WithAccuracy(current), tolerance);

        Assert.Equal(passes, gate.Passed);
        Assert.Contains("live has 0.500", gate.Reason);
        Assert.Equal(("live", 0.5), (gate.Current, gate.CurrentAccuracy));
    }

    private static EvaluationMetrics WithAccuracy(int right) =>
        EvaluationMetrics.Of(new int[10], [.. Enumerable.Range(0, 10).Select(row => row < right ? new[] { 0.9f, 0.1f } : [0.1f, 0.9f])]);
}
