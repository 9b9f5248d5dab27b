namespace ServerlessBert.Trainer.Tests;

public class PromotionGateTests
{
    private static readonly int[] Truth = new int[200];

    [Fact]
    public void The_first_model_goes_live()
    {
        PromotionGate gate = PromotionGate.Decide(Truth, WithRight(60), null, null, new GateRules(0));

        Assert.True(gate.Passed);
        Assert.Contains("no model was live", gate.Reason);
    }

    [Theory]
    [InlineData(120, 100, 0.0, true)]
    [InlineData(100, 100, 0.0, true)]
    [InlineData(99, 100, 0.0, false)]
    [InlineData(80, 100, 0.1001, true)]
    [InlineData(79, 100, 0.1001, false)]
    public void A_candidate_goes_live_unless_it_is_worse_by_more_than_the_tolerance(
        int candidate, int current, double tolerance, bool passes)
    {
        PromotionGate gate = PromotionGate.Decide(Truth, WithRight(candidate), "live", WithRight(current), new GateRules(tolerance));

        Assert.Equal(passes, gate.Passed);
        Assert.Contains("live has 0.500", gate.Reason);
        Assert.Equal(("live", 0.5), (gate.Current, gate.CurrentAccuracy));
    }

    // Binomial tails at n rows that differ: 2 * 0.5^5 = 0.0625, 2 * 0.5^6 = 0.03125.
    [Theory]
    [InlineData(105, 0.0625, false)]
    [InlineData(106, 0.03125, true)]
    [InlineData(94, 0.03125, false)]
    public void Where_significance_is_asked_for_a_candidate_must_be_better_by_McNemars_test(int candidate, double pValue, bool passes)
    {
        PromotionGate gate =
            PromotionGate.Decide(Truth, WithRight(candidate), "live", WithRight(100), new GateRules(1, Significance: 0.05));

        Assert.Equal(passes, gate.Passed);
        Assert.Equal(pValue, gate.PValue!.Value, 1e-12);
        Assert.Contains("McNemar", gate.Reason);
    }

    [Fact]
    public void It_says_which_rows_decided_and_comes_back_from_its_file()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        PromotionGate gate = PromotionGate.Decide(Truth, WithRight(110), "live", WithRight(100), new GateRules(0, IsFixedSet: true));
        gate.Save(folder);

        Assert.Contains("200 rows of the evaluation set", gate.Reason);
        Assert.Equal(gate, PromotionGate.Load(folder));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_candidate_that_cannot_be_compared_does_not_go_live()
    {
        PromotionGate gate = PromotionGate.WithoutComparison(Truth, WithRight(200), "live", "its files are damaged.");

        Assert.False(gate.Passed);
        Assert.Contains("its files are damaged", gate.Reason);
    }

    private static int[] WithRight(int right) => [.. Truth.Select((_, row) => row < right ? 0 : 1)];
}
