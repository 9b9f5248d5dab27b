using System.Globalization;
using System.Xml.Linq;
using ServerlessBert.Modeling.Evaluation;
using static ServerlessBert.Modeling.Reports.Numbers;

namespace ServerlessBert.Modeling.Reports;

/// <summary>The report's first lines: is it any good?</summary>
internal static class Verdict
{
    public static XElement Of(EvaluationMetrics? metrics, HeldOutPredictions? heldOut)
    {
        if (metrics is null)
            return Markup.Of(
            "section", Markup.Of("p", ("class", "lead"), "No rows were held out, so nothing is known of how good this model is."));

        long right = metrics.Confusion.Select((row, label) => row[label]).Sum();
        long most = metrics.Confusion.Max(row => row.Sum());
        return Markup.Of("section",
            Markup.Of("p", ("class", "lead"),
                $"Right on {Count(right)} of {Count(metrics.Rows)} held-out reviews. Always saying the most frequent rating would "
                    + $"be right on {Count(most)} ({Percent((double)most / metrics.Rows)})."),
            Markup.Of("dl", ("class", "tiles"),
                Tile("Accuracy", Percent(metrics.Accuracy),
                    $"95 % interval {Percent(metrics.AccuracyLow)} to {Percent(metrics.AccuracyHigh)}"),
                Tile("Macro-F1", Three(metrics.MacroF1), "mean of the stars' F1"),
                Tile("Mean error", metrics.MeanAbsoluteError.ToString("0.00", CultureInfo.InvariantCulture), "stars off on average"),
                Tile("Within one star", Percent(metrics.WithinOne), "of the reviews"),
                Calibration(metrics, heldOut!),
                Tile("Loss", Three(metrics.Loss), "mean cross-entropy, in nats")));
    }

    private static XElement Calibration(EvaluationMetrics metrics, HeldOutPredictions heldOut) =>
        heldOut is { Temperature: { } temperature, CalibratedError: { } after }
        ? Tile("Calibration error", Three(after),
            $"{Three(metrics.CalibrationError)} without the temperature {temperature.ToString("0.00", CultureInfo.InvariantCulture)}")
        : Tile("Calibration error", Three(metrics.CalibrationError), "|confidence - accuracy|, by bins");

    private static XElement Tile(string name, string value, string remark) => Markup.Of("div",
        Markup.Of("dt", name), Markup.Of("dd", Markup.Of("strong", value), Markup.Of("span", ("class", "quiet"), remark)));
}

/// <summary>How often each rating is in the data.</summary>
internal static class DataSection
{
    public static XElement? Of(IReadOnlyList<LabelCounts> data)
    {
        LabelCounts[] parts = [.. data.Where(part => part.Counts.Sum() > 0)];
        return parts.Length == 0 ? null : TrainingReport.Section("The data", Markup.Of("div", ("class", "pair"), parts.Select(Bars)));
    }

    private static XElement Heads() => Markup.Of("tr",
        Markup.Of("th", ("scope", "col"), "stars"), Markup.Of("th", ("scope", "col"), ("class", "number"), "reviews"),
            Markup.Of("th", ("scope", "col"), "share"));

    private static XElement Bars(LabelCounts part)
    {
        double all = part.Counts.Sum(), most = part.Counts.Max();
        return Markup.Table($"Reviews {part.Name}: {Count((long)all)}", Heads(), part.Counts.Select((count, label) => Markup.Of("tr",
            Markup.Of("th", ("scope", "row"), Stars(label)),
            Markup.Of("td", ("class", "number"), Count(count)),
            Markup.Of("td", ("class", "bar"), ("style", $"--share:{(count / most).ToString("0.###", CultureInfo.InvariantCulture)}"),
                Markup.Of("span", Percent(count / all))))));
    }
}

/// <summary>What was taken for what, and each star's scores.</summary>
internal static class ConfusionSection
{
    public static XElement Of(EvaluationMetrics metrics) => TrainingReport.Section("What it takes for what",
        Markup.Of("div", ("class", "pair"), Matrix(metrics.Confusion), Scores(metrics.Confusion)));

    /// <summary>A table is the plot: each cell's shade is its share of the actual rating's rows.</summary>
    private static XElement Matrix(long[][] confusion)
    {
        string[] stars = [.. confusion.Select((_, label) => Stars(label))];
        return Markup.Table(
            "Actual rating (rows) and prediction (columns): reviews, and the share of the row", Markup.Heads(["actual", .. stars]),
            confusion.Select(
                (row, actual) => Markup.Of("tr", Markup.Of("th", ("scope", "row"), stars[actual]), row.Select((count, predicted) =>
            {
                double share = row.Sum() == 0 ? 0 : (double)count / row.Sum();
                return Markup.Of(
                    "td", ("class", actual == predicted ? "heat right" : "heat"),
                    ("style", $"--share:{share.ToString("0.###", CultureInfo.InvariantCulture)}"),
                    Markup.Of("b", Count(count)), Markup.Of("span", $"{100 * share:0}\u00A0%"));
            }))));
    }

    private static XElement Scores(long[][] confusion) =>
        Markup.Table("Each rating's scores", Markup.Heads("stars", "precision", "recall", "F1", "reviews"),
        confusion.Select((row, label) =>
        {
            long right = row[label], actual = row.Sum(), said = confusion.Sum(other => other[label]);
            string Share(long of) => of == 0 ? "–" : Three((double)right / of);
            return Markup.Row(
                Stars(label), Share(said), Share(actual), actual + said == 0 ? "–" : Three(2.0 * right / (actual + said)), Count(actual));
        }));
}

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
            Curves = scaled is null ? [Line("as trained", "first", plain)]
                : [Line("as trained", "second", plain), Line("with temperature", "first", scaled)],
            Range = (0, 1),
            Across = (0, 1),
            Guides = [((0, 0), (1, 1))],
        };
        return TrainingReport.Section("How sure it is",
            Markup.Of("p", "On the dashed line, of the reviews that it calls 70 % sure 70 % are right; below it the model is too "
                + "sure, above it not sure enough."),
            Markup.Of("div", ("class", "pair"), plot.Draw(), Bins(plain, scaled)));
    }

    private static Curve Line(string name, string style, IReadOnlyList<CalibrationBin> bins) =>
        new(name, style, [.. bins.Where(bin => bin.Rows > 0).Select(bin => (bin.Confidence, bin.Accuracy))], HasMarks: true);

    private static XElement Bins(IReadOnlyList<CalibrationBin> plain, IReadOnlyList<CalibrationBin>? scaled) => Markup.Table(
        scaled is null ? "Bins of confidence" : "Bins of confidence, as trained and with the temperature (T)",
        Markup.Heads(["confidence", "rows", "right", .. scaled is null ? Array.Empty<string>() : ["rows (T)", "right (T)"]]),
        Enumerable.Range(0, plain.Count).Where(bin => plain[bin].Rows > 0 || scaled?[bin].Rows > 0).Select(bin => Markup.Row(
            string.Create(CultureInfo.InvariantCulture, $"{(double)bin / plain.Count:0.0}–{(bin + 1.0) / plain.Count:0.0}"),
            [Count(plain[bin].Rows), Right(plain[bin]),
                .. scaled is null ? Array.Empty<string>() : [Count(scaled[bin].Rows), Right(scaled[bin])]])));

    private static string Right(CalibrationBin bin) => bin.Rows == 0 ? "–" : Percent(bin.Accuracy);
}

/// <summary>The mistakes that it was surest of: often wrong labels, sarcasm, or what the data lacks.</summary>
internal static class WorstMistakes
{
    private const int Most = 12, LongestText = 420;

    public static XElement? Of(HeldOutPredictions heldOut)
    {
        var mistakes = heldOut.Reviews.Zip(heldOut.Probabilities)
            .Select(pair => (
                pair.First.Text, Actual: pair.First.Label, Said: Array.IndexOf(pair.Second, pair.Second.Max()),
                Confidence: pair.Second.Max()))
            .Where(mistake => mistake.Said != mistake.Actual)
            .OrderByDescending(mistake => mistake.Confidence).ThenByDescending(mistake => Math.Abs(mistake.Said - mistake.Actual))
            .Take(Most).ToArray();
        return mistakes.Length == 0 ? null : TrainingReport.Section("Its surest mistakes",
            Markup.Of("ol", ("class", "mistakes"), mistakes.Select(mistake => Markup.Of("li",
                Markup.Of("p", ("class", "what"), Markup.Of("b", $"said {Stars(mistake.Said)}"), $", is {Stars(mistake.Actual)}",
                    Markup.Of("span", ("class", "quiet"), $" {Percent(mistake.Confidence)} sure")),
                Markup.Of("blockquote", Cut(mistake.Text))))));
    }

    private static string Cut(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= LongestText) return line;
        int end = line.LastIndexOf(' ', LongestText, 40);
        if (end < 0) end = char.IsHighSurrogate(line[LongestText - 1]) ? LongestText - 1 : LongestText;
        return line[..end] + " …";
    }
}

/// <summary>Every setting.</summary>
internal static class SettingsSection
{
    public static XElement? Of(IReadOnlyList<SettingsGroup> groups) => groups.Count == 0 ? null : TrainingReport.Section("Settings",
        Markup.Of("div", ("class", "settings"), groups.Select(group => Markup.Of("div",
            Markup.Of("h3", group.Name),
            Markup.Of("dl", group.Values.Select(
                setting => Markup.Of("div", Markup.Of("dt", setting.Name), Markup.Of("dd", setting.Value))))))));
}
