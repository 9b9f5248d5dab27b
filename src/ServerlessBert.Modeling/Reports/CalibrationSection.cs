using System.Globalization;
using System.Xml.Linq;
using static ServerlessBert.Modeling.Numbers;

namespace ServerlessBert.Modeling;

/// <summary>Whether its confidence is the share of right predictions.</summary>
internal static class CalibrationSection
{
    public static XElement Of(HeldOutPredictions heldOut)
    {
        IReadOnlyList<CalibrationBin> plain = CalibrationBin.Of(heldOut.Labels, heldOut.Probabilities);
        IReadOnlyList<CalibrationBin>? scaled = heldOut.Temperature is { } temperature
            ? CalibrationBin.Of(heldOut.Labels, [.. heldOut.Probabilities.Select(row => Calibration.At(row, temperature))])
            : null;
        var plot = new LinePlot
        {
            Title = "Confidence and the share that is right",
            Horizontal = "mean confidence",
            Curves = scaled is null ? [Line("as trained", "first", plain)] : [Line("as trained", "second", plain), Line("with temperature", "first", scaled)],
            Range = (0, 1),
            Across = (0, 1),
            Guides = [((0, 0), (1, 1))],
        };
        return TrainingReport.Section("How sure it is",
            Markup.Of("p", "On the dashed line, of the reviews that it calls 70 % sure 70 % are right; below it the model is too sure, above it not sure enough."),
            Markup.Of("div", ("class", "pair"), plot.Draw(), Bins(plain, scaled)));
    }

    private static Curve Line(string name, string style, IReadOnlyList<CalibrationBin> bins) =>
        new(name, style, [.. bins.Where(bin => bin.Rows > 0).Select(bin => (bin.Confidence, bin.Accuracy))], HasMarks: true);

    private static XElement Bins(IReadOnlyList<CalibrationBin> plain, IReadOnlyList<CalibrationBin>? scaled) => Markup.Table(
        scaled is null ? "Bins of confidence" : "Bins of confidence, as trained and with the temperature (T)",
        Markup.Heads(["confidence", "rows", "right", .. scaled is null ? Array.Empty<string>() : ["rows (T)", "right (T)"]]),
        Enumerable.Range(0, plain.Count).Where(bin => plain[bin].Rows > 0 || scaled?[bin].Rows > 0).Select(bin => Markup.Row(
            string.Create(CultureInfo.InvariantCulture, $"{(double)bin / plain.Count:0.0}–{(bin + 1.0) / plain.Count:0.0}"),
            [Count(plain[bin].Rows), Right(plain[bin]), .. scaled is null ? Array.Empty<string>() : [Count(scaled[bin].Rows), Right(scaled[bin])]])));

    private static string Right(CalibrationBin bin) => bin.Rows == 0 ? "–" : Percent(bin.Accuracy);
}
