using ServerlessBert.Modeling.Optimizers;

namespace ServerlessBert.Modeling.Tests.Optimizers;

public class LearningRateScheduleTests
{
    // The closed forms, with t = (step - 10) / 90: 1 - t, (1 + cos πt) / 2 and 1.
    [Theory]
    [InlineData(ScheduleKind.Linear, 10, 1.0)]
    [InlineData(ScheduleKind.Linear, 55, 0.5)]
    [InlineData(ScheduleKind.Linear, 91, 0.1)]
    [InlineData(ScheduleKind.Linear, 100, 0.0)]
    [InlineData(ScheduleKind.Linear, 120, 0.0)]
    [InlineData(ScheduleKind.Cosine, 10, 1.0)]
    [InlineData(ScheduleKind.Cosine, 40, 0.75)]
    [InlineData(ScheduleKind.Cosine, 55, 0.5)]
    [InlineData(ScheduleKind.Cosine, 70, 0.25)]
    [InlineData(ScheduleKind.Cosine, 100, 0.0)]
    [InlineData(ScheduleKind.Cosine, 120, 0.0)]
    [InlineData(ScheduleKind.Constant, 10, 1.0)]
    [InlineData(ScheduleKind.Constant, 100, 1.0)]
    [InlineData(ScheduleKind.Constant, 120, 1.0)]
    public void After_its_warm_up_it_follows_its_closed_form(ScheduleKind kind, int step, double factor) =>
        Assert.Equal(factor, new LearningRateSchedule(kind, TotalSteps: 100, WarmupSteps: 10).FactorAt(step), 1e-12);

    [Theory]
    [InlineData(ScheduleKind.Linear)]
    [InlineData(ScheduleKind.Cosine)]
    [InlineData(ScheduleKind.Constant)]
    public void It_climbs_from_zero_in_equal_steps(ScheduleKind kind) =>
        Assert.Equal([0, 0.25, 0.5, 0.75, 1], Enumerable.Range(0, 5).Select(new LearningRateSchedule(kind, 100, 4).FactorAt));

    [Theory]
    [InlineData(ScheduleKind.Linear)]
    [InlineData(ScheduleKind.Cosine)]
    [InlineData(ScheduleKind.Constant)]
    public void Without_warm_up_it_starts_at_the_peak(ScheduleKind kind) => Assert.Equal(1, new LearningRateSchedule(kind, 10).FactorAt(0));

    [Fact]
    public void A_training_that_is_all_warm_up_never_divides_by_nothing() =>
        Assert.Equal(0.5, new LearningRateSchedule(ScheduleKind.Linear, 4, 4).FactorAt(2));
}
