using System.Globalization;
using System.Xml.Linq;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Reports;

public class TrainingReportTests
{
    private static readonly HeldOutPredictions HeldOut = Predictions(300);

    private static readonly ReportContent Whole = new()
    {
        Title = "Review classifier from preset mini",
        Subtitle = "Fine-tuned on 1,200 reviews.",
        Log = Logged(steps: 120, evaluations: 3),
        KeptStep = 80,
        HeldOut = HeldOut with { Temperature = 1.5, CalibratedError = 0.0123 },
        Data = [new LabelCounts("learned from", [100, 200, 300, 400, 200]), LabelCounts.Of("held out", HeldOut.Reviews, 5)],
        Settings = [ReportSettings.Of("Training options", new TrainingOptions { LearningRate = 5e-5, MaxLength = 77 }),
            new SettingsGroup("Files", [("yelp.csv", "1,500 rows")])],
    };

    [Fact]
    public void It_says_every_score()
    {
        EvaluationMetrics metrics = EvaluationMetrics.Of(HeldOut.Labels, HeldOut.Probabilities);
        string text = Page(Whole).Value;
        foreach (double share in new[] { metrics.Accuracy, metrics.AccuracyLow, metrics.AccuracyHigh, metrics.WithinOne })
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0}\u00A0%"), text);
        foreach (double score in new[] { metrics.MacroF1, metrics.Loss, metrics.CalibrationError, 0.0123 })
            Assert.Contains(score.ToString("0.000", CultureInfo.InvariantCulture), text);
        Assert.Contains("temperature 1.50", text);
        Assert.Contains(metrics.MeanAbsoluteError.ToString("0.00", CultureInfo.InvariantCulture), text);
    }

    [Fact]
    public void The_confusion_matrix_has_each_count_and_its_share_of_the_row()
    {
        long[][] confusion = EvaluationMetrics.Of(HeldOut.Labels, HeldOut.Probabilities).Confusion;
        string[] cells =
            [.. Page(Whole).Descendants("td")
            .Where(cell => ((string?)cell.Attribute("class"))?.StartsWith("heat", StringComparison.Ordinal) == true)
            .Select(cell => cell.Value)];
        Assert.Equal(confusion.SelectMany(
            row => row.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count:N0}{100.0 * count / row.Sum():0}\u00A0%"))),
            cells);
    }

    [Fact]
    public void Every_setting_is_listed_with_its_value()
    {
        var settings = Page(Whole).Descendants("dt")
            .Where(name => name.Parent!.Parent!.Parent!.Parent!.Attribute("class")?.Value == "settings")
            .ToDictionary(name => name.Value, name => name.ElementsAfterSelf("dd").Single().Value);
        Assert.All(OptionSet<TrainingOptions>.All, option => Assert.Contains(option.JsonName, settings.Keys));
        Assert.Equal(("5e-5", "77", "not set", "adamW", "1,500 rows"),
            (settings["learningRate"], settings["maxLength"], settings["maxSteps"], settings["optimizer"], settings["yelp.csv"]));
    }

    [Fact]
    public void It_loads_nothing_and_runs_nothing()
    {
        XElement page = Page(Whole);
        Assert.All(page.Descendants().Attributes(),
            attribute => Assert.DoesNotContain(attribute.Name.LocalName, new[] { "src", "href", "onload", "xlink:href" }));
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "link" or "iframe" or "img" or "object");
        string style = page.Descendants("style").Single().Value;
        Assert.DoesNotContain("url(", style);
        Assert.DoesNotContain("@import", style);
    }

    [Fact]
    public void It_is_drawn_by_night_on_paper_and_on_phones()
    {
        XElement page = Page(Whole);
        string style = page.Descendants("style").Single().Value;
        Assert.Contains("prefers-color-scheme: dark", style);
        Assert.Contains("@media print", style);
        Assert.Contains("width=device-width", page.ToString());
        // Only classes: a colour in the drawing itself would be wrong in one of the two.
        Assert.DoesNotContain(
            page.Descendants("svg").DescendantsAndSelf().Attributes(), attribute =>
            attribute.Name.LocalName is "fill" or "stroke" or "style" or "width");
    }

    [Fact]
    public void What_a_plot_shows_can_be_heard_and_read()
    {
        XElement page = Page(Whole);
        Assert.Equal("en", page.Attribute("lang")!.Value);
        Assert.Equal(5, page.Descendants("svg").Count());
        Assert.All(page.Descendants("svg"), svg => Assert.False(string.IsNullOrWhiteSpace((string?)svg.Attribute("aria-label"))));
        Assert.All(page.Descendants("table"), table => Assert.NotEmpty(table.Element("caption")!.Value));
        Assert.All(page.Descendants("th"), head => Assert.NotNull(head.Attribute("scope")));
    }

    [Fact]
    public void Texts_are_shown_as_they_are_and_cut_where_they_are_long()
    {
        string hostile = "<script>alert('x')</script> & \u0001\ud800 " + string.Concat(Enumerable.Repeat("word ", 500));
        var heldOut = new HeldOutPredictions([new LabelledReview(hostile, 4)], [[0.9f, 0, 0, 0, 0.1f]]);
        string html = TrainingReport.Html(Whole with { HeldOut = heldOut });
        Assert.DoesNotContain("<script", html);
        string quoted = Parse(html).Descendants("blockquote").Single().Value;
        Assert.StartsWith("<script>alert('x')</script> & \uFFFD\uFFFD word", quoted);
        Assert.EndsWith("word …", quoted);
        Assert.InRange(quoted.Length, 300, 430);
    }

    [Fact]
    public void The_worst_mistakes_are_the_surest_ones()
    {
        var heldOut = new HeldOutPredictions(
            [new("sure and right", 0), new("a little wrong", 1), new("very wrong", 2)],
            [[0.99f, 0.01f, 0], [0.5f, 0.4f, 0.1f], [0.8f, 0.1f, 0.1f]]);
        Assert.Equal(["very wrong", "a little wrong"],
            Page(Whole with { HeldOut = heldOut }).Descendants("blockquote").Select(quote => quote.Value));
    }

    [Fact]
    public void Without_held_out_rows_it_says_so_and_shows_the_rest()
    {
        XElement page = Page(Whole with { HeldOut = null, Log = Logged(10, 0), KeptStep = null });
        Assert.Contains("No rows were held out", page.Value);
        Assert.NotEmpty(page.Descendants("svg"));
        Assert.Empty(page.Descendants("blockquote"));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(3, 60)]
    [InlineData(100_000, 40)]
    public void Curves_of_any_length_are_drawn_with_numbers_in_moderation(int steps, int evaluations)
    {
        string html = TrainingReport.Html(Whole with { Log = Logged(steps, evaluations) });
        XElement page = Parse(html);
        Assert.All(page.Descendants("polyline"), line => Assert.InRange(line.Attribute("points")!.Value.Split(' ').Length, 1, 240));
        Assert.DoesNotContain(
            page.Descendants("svg").Descendants().Attributes(), attribute =>
            attribute.Value.Contains("NaN", StringComparison.Ordinal) || attribute.Value.Contains('∞'));
        Assert.InRange(html.Length, 1_000, 150_000);
    }

    [Fact]
    public void A_point_that_is_no_number_is_left_out()
    {
        LoggedTraining log = Logged(5, 0);
        XElement page = Page(
            Whole with
            {
                HeldOut = null,
                Log = log with { Steps = [.. log.Steps, new LoggedStep(6, 1, double.NaN, 0, double.PositiveInfinity, 1, 1, 1)] }
            });
        Assert.DoesNotContain(
            page.Descendants("svg").Descendants().Attributes(), attribute =>
            attribute.Value.Contains("NaN", StringComparison.Ordinal) || attribute.Value.Contains('∞'));
    }

    private static XElement Page(ReportContent content) => Parse(TrainingReport.Html(content));

    /// <summary>The page is well-formed; and HTML: nothing but void and SVG elements ends itself.</summary>
    private static XElement Parse(string html)
    {
        const string doctype = "<!DOCTYPE html>\n";
        Assert.StartsWith(doctype, html);
        XElement page = XElement.Parse(html[doctype.Length..]);
        Assert.All(page.Descendants().Where(element => element.IsEmpty),
            element => Assert.Contains(element.Name.LocalName, new[] { "meta", "br", "line", "polyline", "circle" }));
        return page;
    }

    private static LoggedTraining Logged(int steps, int evaluations)
    {
        EvaluationMetrics metrics = EvaluationMetrics.Of(HeldOut.Labels, HeldOut.Probabilities);
        return new LoggedTraining(
            [.. Enumerable.Range(1, steps)
                .Select(step => new LoggedStep(
                step, step / 40.0, 1.6 / Math.Sqrt(step), 5e-5 * (steps - step) / steps, 1 + 1.0 / step, step * 900L, step * 1000L,
                step * 0.1))],
            [.. Enumerable.Range(1, evaluations)
                .Select(each => new LoggedEvaluation(each * Math.Max(steps, 1) / evaluations, each, 1.2, each * 10, metrics))]);
    }

    private static HeldOutPredictions Predictions(int rows)
    {
        var random = new Random(1);
        LabelledReview[] reviews = [.. Enumerable.Range(0, rows).Select(row => new LabelledReview($"review {row}", random.Next(5)))];
        return new HeldOutPredictions(reviews, [.. reviews.Select(review =>
        {
            float[] scores = [.. Enumerable.Range(0, 5).Select(label => (float)random.NextDouble() + (label == review.Label ? 1 : 0))];
            return scores.Select(score => score / scores.Sum()).ToArray();
        })]);
    }
}
