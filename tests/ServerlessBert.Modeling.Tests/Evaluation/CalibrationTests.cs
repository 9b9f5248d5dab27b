using System.Text.Json;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Tests.Checkpoints;

namespace ServerlessBert.Modeling.Tests.Evaluation;

public class CalibrationTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    [InlineData(2.5)]
    public void The_temperature_by_which_a_model_was_made_too_sure_or_too_unsure_is_found(double temperature)
    {
        // Labels drawn from what the model says at that temperature; the model itself says it at 1.
        var (labels, says) = Drawn(20_000, temperature);

        Calibration calibration = Calibration.Fit(labels, says);

        Assert.Equal(temperature, calibration.Temperature, 0.06 * temperature);
        Assert.InRange(calibration.ErrorAfter, 0, 0.012);
        if (temperature != 1) Assert.True(calibration.ErrorBefore > 5 * calibration.ErrorAfter, $"{calibration}");
        Assert.True(calibration.LossAfter <= calibration.LossBefore + 1e-3);
    }

    [Fact]
    public void No_prediction_changes_by_a_temperature()
    {
        var (_, says) = Drawn(500, 1);

        foreach (float[] row in says)
        {
            float[] cooler = Calibration.At(row, 3);
            Assert.Equal(Array.IndexOf(row, row.Max()), Array.IndexOf(cooler, cooler.Max()));
            Assert.Equal(1, cooler.Sum(), 1e-5f);
            Assert.All(row.Zip(Calibration.At(row, 1)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
    }

    [Fact]
    public void A_probability_of_zero_and_a_single_row_are_no_trouble()
    {
        Calibration calibration = Calibration.Fit([1], [[1f, 0f, 0f, 0f, 0f]]);

        Assert.True(double.IsFinite(calibration.Temperature) && calibration.Temperature > 0);
        Assert.All(Calibration.At([1f, 0f, 0f], 2), p => Assert.True(float.IsFinite(p)));
    }

    [Fact]
    public void Its_file_names_the_temperature()
    {
        using var folder = new TemporaryFolder();
        var (labels, says) = Drawn(100, 1);
        Calibration calibration = Calibration.Fit(labels, says);

        calibration.Save(folder.Path);

        using var json = JsonDocument.Parse(File.ReadAllBytes(folder.File("calibration.json")));
        Assert.Equal(calibration.Temperature, json.RootElement.GetProperty("temperature").GetDouble());
    }

    private static (int[] Labels, float[][] Says) Drawn(int rows, double temperature)
    {
        var random = new Random(11);
        var says = new float[rows][];
        var labels = new int[rows];
        for (int row = 0; row < rows; row++)
        {
            double[] logits = [.. Enumerable.Range(0, 5).Select(_ => 4 * random.NextDouble())];
            double sum = logits.Sum(Math.Exp);
            says[row] = [.. logits.Select(logit => (float)(Math.Exp(logit) / sum))];
            float[] actual = Calibration.At(says[row], temperature);
            double draw = random.NextDouble();
            for (labels[row] = 0; labels[row] < 4 && (draw -= actual[labels[row]]) > 0;) labels[row]++;
        }
        return (labels, says);
    }
}
