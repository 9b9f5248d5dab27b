using System.Globalization;
using System.Xml.Linq;
using static ServerlessBert.Modeling.Numbers;

namespace ServerlessBert.Modeling;

/// <summary>The report's first lines: is it any good?</summary>
internal static class Verdict
{
    public static XElement Of(EvaluationMetrics? metrics, HeldOutPredictions? heldOut)
    {
        if (metrics is null) return Markup.Of("section", Markup.Of("p", ("class", "lead"), "No rows were held out, so nothing is known of how good this model is."));

        long right = metrics.Confusion.Select((row, label) => row[label]).Sum();
        long most = metrics.Confusion.Max(row => row.Sum());
        return Markup.Of("section",
            Markup.Of("p", ("class", "lead"),
                $"Right on {Count(right)} of {Count(metrics.Rows)} held-out reviews. Always saying the most frequent rating would be right on {Count(most)} ({Percent((double)most / metrics.Rows)})."),
            Markup.Of("dl", ("class", "tiles"),
                Tile("Accuracy", Percent(metrics.Accuracy), $"95 % interval {Percent(metrics.AccuracyLow)} to {Percent(metrics.AccuracyHigh)}"),
                Tile("Macro-F1", Three(metrics.MacroF1), "mean of the stars' F1"),
                Tile("Mean error", metrics.MeanAbsoluteError.ToString("0.00", CultureInfo.InvariantCulture), "stars off on average"),
                Tile("Within one star", Percent(metrics.WithinOne), "of the reviews"),
                Calibration(metrics, heldOut!),
                Tile("Loss", Three(metrics.Loss), "mean cross-entropy, in nats")));
    }

    private static XElement Calibration(EvaluationMetrics metrics, HeldOutPredictions heldOut) => heldOut is { Temperature: { } temperature, CalibratedError: { } after }
        ? Tile("Calibration error", Three(after), $"{Three(metrics.CalibrationError)} without the temperature {temperature.ToString("0.00", CultureInfo.InvariantCulture)}")
        : Tile("Calibration error", Three(metrics.CalibrationError), "|confidence - accuracy|, by bins");

    private static XElement Tile(string name, string value, string remark) => Markup.Of("div",
        Markup.Of("dt", name), Markup.Of("dd", Markup.Of("strong", value), Markup.Of("span", ("class", "quiet"), remark)));
}
