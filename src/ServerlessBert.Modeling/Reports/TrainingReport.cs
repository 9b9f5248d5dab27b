using System.Xml.Linq;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Reports;

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
        EvaluationMetrics? metrics = content.HeldOut is { Labels.Count: > 0 } heldOut
            ? EvaluationMetrics.Of(heldOut.Labels, heldOut.Probabilities) : null;
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

/// <summary>What a report shows; what is empty or null has no section.</summary>
public sealed record ReportContent
{
    /// <summary>The model, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>A line below it: when, how long, on what.</summary>
    public required string Subtitle { get; init; }

    /// <summary>The training's steps and evaluations.</summary>
    public LoggedTraining Log { get; init; } = LoggedTraining.None;

    /// <summary>The held-out rows and what the model says of them.</summary>
    public HeldOutPredictions? HeldOut { get; init; }

    /// <summary>The step whose weights were kept, for the curves.</summary>
    public int? KeptStep { get; init; }

    /// <summary>Rows by label, of each part of the data.</summary>
    public IReadOnlyList<LabelCounts> Data { get; init; } = [];

    /// <summary>Every setting, in groups.</summary>
    public IReadOnlyList<SettingsGroup> Settings { get; init; } = [];
}

/// <summary>Held-out rows with their predictions.</summary>
/// <param name="Reviews">The rows.</param>
/// <param name="Probabilities">The model's own probabilities, [rows][labels].</param>
public sealed record HeldOutPredictions(IReadOnlyList<LabelledReview> Reviews, IReadOnlyList<float[]> Probabilities)
{
    /// <summary>The temperature that the model's confidence is calibrated with, or null.</summary>
    public double? Temperature { get; init; }

    /// <summary>The expected calibration error with that temperature, measured on rows that it was not fitted to.</summary>
    public double? CalibratedError { get; init; }

    /// <summary>The rows' labels.</summary>
    public IReadOnlyList<int> Labels { get; } = [.. Reviews.Select(review => review.Label)];
}

/// <summary>How many rows have which label.</summary>
/// <param name="Name">What rows: learned from, held out.</param>
/// <param name="Counts">Rows, by label from 0.</param>
public sealed record LabelCounts(string Name, IReadOnlyList<int> Counts)
{
    /// <summary>Counts rows.</summary>
    public static LabelCounts Of(string name, IReadOnlyCollection<LabelledReview> reviews, int labels)
    {
        var counts = new int[Math.Max(labels, reviews.Select(review => review.Label + 1).DefaultIfEmpty().Max())];
        foreach (LabelledReview review in reviews) counts[review.Label]++;
        return new LabelCounts(name, counts);
    }
}

/// <summary>Settings that belong together.</summary>
/// <param name="Name">What they are about.</param>
/// <param name="Values">Names and values.</param>
public sealed record SettingsGroup(string Name, IReadOnlyList<(string Name, string Value)> Values);
