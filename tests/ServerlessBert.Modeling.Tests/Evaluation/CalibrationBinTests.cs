using ServerlessBert.Modeling.Evaluation;

namespace ServerlessBert.Modeling.Tests.Evaluation;

public class CalibrationBinTests
{
    [Fact]
    public void A_bin_has_its_rows_their_mean_confidence_and_the_share_that_is_right()
    {
        IReadOnlyList<CalibrationBin> bins = CalibrationBin.Of([0, 1, 0, 1], [[0.72f, 0.28f], [0.78f, 0.22f], [1, 0], [0.05f, 0.95f]]);
        Assert.Equal(10, bins.Count);
        Assert.Equal(2, bins[7].Rows);
        Assert.Equal((0.5, 0.75), (bins[7].Accuracy, Math.Round(bins[7].Confidence, 6)));
        Assert.Equal((2, 1.0), (bins[9].Rows, bins[9].Accuracy)); // a confidence of 1 is in the last
        Assert.Equal((2 * 0.25 + 2 * 0.025) / 4, CalibrationBin.Error(bins), 1e-6);
    }

    [Fact]
    public void Without_rows_there_is_no_error() => Assert.Equal(0, CalibrationBin.Error(CalibrationBin.Of([], [])));
}
