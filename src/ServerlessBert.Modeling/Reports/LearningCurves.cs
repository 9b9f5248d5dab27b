using System.Xml.Linq;
using ServerlessBert.Modeling.Evaluation;
using static ServerlessBert.Modeling.Reports.Numbers;

namespace ServerlessBert.Modeling.Reports;

/// <summary>How the training went: loss, learning rate, and the held-out rows' scores.</summary>
internal static class LearningCurves
{
    private const int MostRows = 40;

    public static XElement? Of(LoggedTraining log, int? keptStep)
    {
        if (log.Steps.Count == 0 && log.Evaluations.Count == 0) return null;
        int last = log.Steps.Select(step => step.Step).Concat(log.Evaluations.Select(evaluation => evaluation.Step)).Append(1).Max();
        LinePlot[] plots = [Loss(log, last), LearningRate(log, last), GradientNorm(log, last), Scores(log, last)];
        return TrainingReport.Section("How it learned",
            Markup.Of("div", ("class", "plots"),
                plots.Where(plot => plot.Curves.Any(curve => curve.Drawn.Count > 0)).Select(plot => plot.Draw())),
            log.Evaluations.Count == 0 ? null : Evaluations(log.Evaluations, keptStep),
            log.Steps.Count == 0 ? null
                : Markup.Of("details", Markup.Of("summary", "Loss and learning rate as numbers"), Steps(log.Steps)));
    }

    private static LinePlot Loss(LoggedTraining log, int last)
    {
        var losses = Curve.Thin(Over(log, step => step.Loss));
        var curves = new List<Curve> { new("each step", "faint", losses), new("smoothed", "first", Curve.Smooth(losses)) };
        if (log.Evaluations.Count > 0) curves.Add(
            new Curve("held out", "second", [.. log.Evaluations.Select(each => ((double)each.Step, each.Evaluation.Loss))],
            HasMarks: log.Evaluations.Count <= 30));
        return new LinePlot { Title = "Loss, in nats", Horizontal = "step", Across = (0, last), Curves = curves };
    }

    private static LinePlot LearningRate(LoggedTraining log, int last) => new()
    {
        Title = "Learning rate",
        Horizontal = "step",
        Across = (0, last),
        Curves = [new("learning rate", "first", Curve.Thin(Over(log, step => step.LearningRate)))],
    };

    private static LinePlot GradientNorm(LoggedTraining log, int last)
    {
        var norms = Curve.Thin([.. Over(log, step => step.GradientNorm).Where(point => point.Y > 0)]);
        return new LinePlot
        {
            Title = "Gradient norm, before clipping",
            Horizontal = "step",
            Across = (0, last),
            Curves = [new("each step", "faint", norms), new("smoothed", "first", Curve.Smooth(norms))]
        };
    }

    private static LinePlot Scores(LoggedTraining log, int last)
    {
        bool hasMarks = log.Evaluations.Count <= 30;
        Curve Score(string name, string style, Func<EvaluationMetrics, double> of) =>
            new(name, style, [.. log.Evaluations.Select(each => ((double)each.Step, of(each.Evaluation)))], hasMarks);
        return new LinePlot
        {
            Title = "Held-out scores",
            Horizontal = "step",
            Across = (0, last),
            Curves = [Score("accuracy", "first", metrics => metrics.Accuracy), Score("macro-F1", "second", metrics => metrics.MacroF1)],
        };
    }

    private static IReadOnlyList<(double X, double Y)> Over(LoggedTraining log, Func<LoggedStep, double> value) =>
        [.. log.Steps.Select(step => ((double)step.Step, value(step)))];

    private static XElement Evaluations(IReadOnlyList<LoggedEvaluation> evaluations, int? keptStep) => Markup.Table(
        keptStep is { } kept ? $"Evaluations; the weights of step {Count(kept)} were kept" : "Evaluations",
        Markup.Heads("step", "epoch", "training loss", "loss", "accuracy", "macro-F1", "stars off", "within one", "calibration error"),
        Every(evaluations, MostRows).Select(each => Markup.Row(Count(each.Step) + (each.Step == keptStep ? " ✓" : ""),
            Short(Math.Round(each.Epoch, 2)), Three(each.TrainingLoss), Three(each.Evaluation.Loss), Percent(each.Evaluation.Accuracy),
                Three(each.Evaluation.MacroF1),
            Three(each.Evaluation.MeanAbsoluteError), Percent(each.Evaluation.WithinOne), Three(each.Evaluation.CalibrationError))));

    private static XElement Steps(IReadOnlyList<LoggedStep> steps) => Markup.Table("Steps",
        Markup.Heads("step", "epoch", "loss", "learning rate", "gradient norm", "seconds"),
        Every(steps, MostRows)
            .Select(step => Markup.Row(
            Count(step.Step), Short(Math.Round(step.Epoch, 2)), Three(step.Loss), Short(step.LearningRate), Three(step.GradientNorm),
            Short(Math.Round(step.Seconds, 1)))));

    /// <summary>At most so many, evenly chosen, the last among them.</summary>
    private static IEnumerable<T> Every<T>(IReadOnlyList<T> items, int most)
    {
        int stride = (items.Count + most - 1) / most;
        return items.Where((_, i) => (items.Count - 1 - i) % stride == 0);
    }
}
