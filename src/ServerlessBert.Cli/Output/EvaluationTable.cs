using ServerlessBert.Modeling.Evaluation;
using Spectre.Console;

namespace ServerlessBert.Cli.Output;

/// <summary>Metrics as people read them: one line of scores, then who was taken for whom.</summary>
internal static class EvaluationTable
{
    public static void Show(IAnsiConsole console, EvaluationMetrics metrics)
    {
        console.Profile.Out.Writer.WriteLine(Line(metrics)); // as it is: the console would fold it at 80 columns
        var table = new Table().Border(TableBorder.Simple).AddColumn("actual");
        for (int label = 0; label < metrics.Confusion.Length; label++) table.AddColumn(new TableColumn($"said {label + 1}").RightAligned());
        for (int label = 0; label < metrics.Confusion.Length; label++)
            table.AddRow([$"{label + 1} star{(label == 0 ? "" : "s")}", .. metrics.Confusion[label].Select(count => $"{count:N0}")]);
        console.Write(table);
    }

    private static string Line(EvaluationMetrics metrics) =>
        $"accuracy {metrics.Accuracy:0.000} (95 %: {metrics.AccuracyLow:0.000} to {metrics.AccuracyHigh:0.000}) on "
            + $"{Count.Of(metrics.Rows, "row")}, macro-F1 {metrics.MacroF1:0.000}, "
        + $"{metrics.MeanAbsoluteError:0.00} stars off on average, {metrics.WithinOne:0.0 %} within one star, loss "
            + $"{metrics.Loss:0.000}, calibration error {metrics.CalibrationError:0.000}";
}
