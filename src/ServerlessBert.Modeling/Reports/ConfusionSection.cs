using System.Globalization;
using System.Xml.Linq;
using static ServerlessBert.Modeling.Numbers;

namespace ServerlessBert.Modeling;

/// <summary>What was taken for what, and each star's scores.</summary>
internal static class ConfusionSection
{
    public static XElement Of(EvaluationMetrics metrics) => TrainingReport.Section("What it takes for what",
        Markup.Of("div", ("class", "pair"), Matrix(metrics.Confusion), Scores(metrics.Confusion)));

    /// <summary>A table is the plot: each cell's shade is its share of the actual rating's rows.</summary>
    private static XElement Matrix(long[][] confusion)
    {
        string[] stars = [.. confusion.Select((_, label) => Stars(label))];
        return Markup.Table("Actual rating (rows) and prediction (columns): reviews, and the share of the row", Markup.Heads(["actual", .. stars]),
            confusion.Select((row, actual) => Markup.Of("tr", Markup.Of("th", ("scope", "row"), stars[actual]), row.Select((count, predicted) =>
            {
                double share = row.Sum() == 0 ? 0 : (double)count / row.Sum();
                return Markup.Of("td", ("class", actual == predicted ? "heat right" : "heat"), ("style", $"--share:{share.ToString("0.###", CultureInfo.InvariantCulture)}"),
                    Markup.Of("b", Count(count)), Markup.Of("span", $"{100 * share:0}\u00A0%"));
            }))));
    }

    private static XElement Scores(long[][] confusion) => Markup.Table("Each rating's scores", Markup.Heads("stars", "precision", "recall", "F1", "reviews"),
        confusion.Select((row, label) =>
        {
            long right = row[label], actual = row.Sum(), said = confusion.Sum(other => other[label]);
            string Share(long of) => of == 0 ? "–" : Three((double)right / of);
            return Markup.Row(Stars(label), Share(said), Share(actual), actual + said == 0 ? "–" : Three(2.0 * right / (actual + said)), Count(actual));
        }));
}
