using CsCheck;
using ServerlessBert.Modeling.Evaluation;

namespace ServerlessBert.Modeling.Tests.Evaluation;

public class EvaluationMetricsTests
{
    // Four rows of three labels: right, right, one off, two off.
    private static readonly int[] Labels = [0, 1, 1, 2];

    private static readonly float[][] Probabilities = [[0.8f, 0.1f, 0.1f], [0.2f, 0.7f, 0.1f], [0.1f, 0.3f, 0.6f], [0.9f, 0.05f, 0.05f]];

    [Fact]
    public void Scores_are_those_of_their_definitions()
    {
        EvaluationMetrics metrics = EvaluationMetrics.Of(Labels, Probabilities);

        Assert.Equal(4, metrics.Rows);
        Assert.Equal(0.5, metrics.Accuracy);
        Assert.Equal(0.75, metrics.MeanAbsoluteError);
        Assert.Equal(0.75, metrics.WithinOne);
        Assert.Equal((2.0 / 3 + 2.0 / 3 + 0) / 3, metrics.MacroF1, 1e-12);
        Assert.Equal(-(Math.Log(0.8f) + Math.Log(0.7f) + Math.Log(0.3f) + Math.Log(0.05f)) / 4, metrics.Loss, 1e-6);
        Assert.Equal([[1, 0, 0], [0, 1, 1], [1, 0, 0]], metrics.Confusion);
    }

    [Fact]
    public void Calibration_error_weighs_each_bin_by_its_rows()
    {
        // One bin of 0.8 (right), one of 0.7 (right), one of 0.6 (wrong), one of 0.9 (wrong).
        EvaluationMetrics metrics = EvaluationMetrics.Of(Labels, Probabilities);

        Assert.Equal((0.2 + 0.3 + 0.6 + 0.9) / 4, metrics.CalibrationError, 1e-6);
    }

    [Fact]
    public void The_interval_is_wilsons()
    {
        (double low, double high) = EvaluationMetrics.WilsonInterval(0.5, 100);

        Assert.Equal(0.4038, low, 1e-4);
        Assert.Equal(0.5962, high, 1e-4);
    }

    [Fact]
    public void The_interval_stays_within_0_and_1_and_holds_the_share() =>
        Gen.Select(Gen.Double[0, 1], Gen.Long[1, 100_000]).Sample((share, rows) =>
        {
            (double low, double high) = EvaluationMetrics.WilsonInterval(share, rows);
            return 0 <= low && low <= share + 1e-12 && share - 1e-12 <= high && high <= 1;
        });

    [Fact]
    public void No_rows_are_refused() => Assert.Throws<ArgumentException>(() => EvaluationMetrics.Of([], []));
}
