using System.Xml.Linq;

namespace ServerlessBert.Modeling;

/// <summary>report.html: how a model was trained and how good it is, on one page that loads nothing from anywhere.</summary>
public static class TrainingReport
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = "report.html";

    private static readonly Lazy<string> Style = new(() =>
    {
        using Stream css = typeof(TrainingReport).Assembly.GetManifestResourceStream("report.css")!;
        return new StreamReader(css).ReadToEnd();
    });

    /// <summary>The page: a function of what it shows.</summary>
    public static string Html(ReportContent content)
    {
        EvaluationMetrics? metrics = content.HeldOut is { Labels.Count: > 0 } heldOut ? EvaluationMetrics.Of(heldOut.Labels, heldOut.Probabilities) : null;
        return Markup.Document(Markup.Of("html", ("lang", "en"),
            Markup.Of("head",
                Markup.Of("meta", ("charset", "utf-8")),
                Markup.Of("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")),
                Markup.Of("meta", ("name", "color-scheme"), ("content", "light dark")),
                Markup.Of("title", content.Title),
                Markup.Of("style", Style.Value)),
            Markup.Of("body",
                Markup.Of("header", Markup.Of("h1", content.Title), Markup.Of("p", ("class", "quiet"), content.Subtitle)),
                Markup.Of("main",
                    Verdict.Of(metrics, content.HeldOut),
                    LearningCurves.Of(content.Log, content.KeptStep),
                    metrics is null ? null : ConfusionSection.Of(metrics),
                    metrics is null ? null : CalibrationSection.Of(content.HeldOut!),
                    content.HeldOut is null ? null : WorstMistakes.Of(content.HeldOut),
                    DataSection.Of(content.Data),
                    SettingsSection.Of(content.Settings)))));
    }

    /// <summary>A section under its heading.</summary>
    internal static XElement Section(string heading, params object?[] content) =>
        Markup.Of("section", Markup.Of("h2", heading), content);
}
