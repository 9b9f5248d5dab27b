namespace ServerlessBert.Modeling.Tests.Training;

public class LinearScheduleTests
{
    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(5, 0.5)]
    [InlineData(10, 1.0)]
    [InlineData(55, 0.5)]
    [InlineData(100, 0.0)]
    [InlineData(120, 0.0)]
    public void It_climbs_over_the_warm_up_and_falls_to_zero_at_the_end(int step, double factor) =>
        Assert.Equal(factor, new LinearSchedule(TotalSteps: 100, WarmupSteps: 10).FactorAt(step), 1e-12);

    [Fact]
    public void Without_warm_up_it_starts_at_the_peak() => Assert.Equal(1, new LinearSchedule(10, 0).FactorAt(0));
}
