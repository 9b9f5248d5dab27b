using CsCheck;
using ServerlessBert.Modeling.Reports;

namespace ServerlessBert.Modeling.Tests.Reports;

public class AxisTicksTests
{
    [Theory]
    [InlineData(0, 1, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(0, 252, new[] { 0.0, 50, 100, 150, 200, 250, 300 })]
    [InlineData(0.93, 1.62, new[] { 0.8, 1, 1.2, 1.4, 1.6, 1.8 })]
    [InlineData(0, 5e-4, new[] { 0, 1e-4, 2e-4, 3e-4, 4e-4, 5e-4 })]
    public void Ticks_are_round(double low, double high, double[] ticks) =>
        Assert.Equal(ticks, AxisTicks.Of(low, high), (a, b) => Math.Abs(a - b) < 1e-9);

    [Fact]
    public void Ticks_are_few_rise_and_hold_the_range() => Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[1e-6, 1e6]).Sample((low, width) =>
    {
        IReadOnlyList<double> ticks = AxisTicks.Of(low, low + width);
        Assert.InRange(ticks.Count, 2, 9);
        Assert.True(ticks[0] <= low + width * 1e-6 && ticks[^1] >= low + width * (1 - 1e-6));
        Assert.Equal(ticks.Order(), ticks);
    });

    [Theory]
    [InlineData(0, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(4, new[] { 2.0, 3, 4, 5, 6 })]
    [InlineData(-0.4, new[] { -0.6, -0.5, -0.4, -0.3, -0.2 })]
    [InlineData(4e-5, new[] { 2e-5, 3e-5, 4e-5, 5e-5, 6e-5 })]
    public void A_single_value_gets_an_axis_of_its_own_size_that_does_not_pass_zero(double value, double[] ticks) =>
        Assert.Equal(ticks, AxisTicks.Of(value, value), (a, b) => Math.Abs(a - b) < 1e-9);
}
