using System.CommandLine;
using System.Globalization;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert evaluate --data FILE --model DIR</c>: how good a model is on labelled reviews.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Labelled review files.", Required = true, AllowMultipleArgumentsPerToken = true };
        var json = new Option<bool>("--json") { Description = "The metrics as JSON." };
        var report = new Option<FileInfo?>("--report") { Description = "An HTML file for the scores, the confusion matrix, the calibration and the worst mistakes." };
        var model = new ModelOptions();
        var command = new Command("evaluate", "Measure a model on labelled reviews.") { data, json, report };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (reviews, sources) = await LocalReviews.LabelledAsync(parsed.GetRequiredValue(data), cancellationToken);
            if (reviews.Rows.Count == 0) throw new UsageException("none of the rows has a rating to measure against (stars 1-5 or label 0-4).");
            using ReviewClassifier classifier = model.Load(parsed);
            if (reviews.Rows.FirstOrDefault(row => row.Label >= classifier.NumLabels) is { } beyond)
                throw new InvalidDataException($"a row has {beyond.Label + 1} stars, but the model knows only 1 to {classifier.NumLabels}.");

            IReadOnlyList<Classification> classifications = classifier.Classify([.. reviews.Rows.Select(row => row.Text)], cancellationToken);
            var metrics = EvaluationMetrics.Of([.. reviews.Rows.Select(row => row.Label)], [.. classifications.Select(one => one.Probabilities)]);
            if (parsed.GetValue(report) is { } file)
            {
                file.Directory!.Create();
                await File.WriteAllTextAsync(file.FullName, TrainingReport.Html(Content(model.Name(parsed), classifier, reviews, sources, classifications)), cancellationToken);
            }
            if (parsed.GetValue(json)) Console.WriteLine(Json.Of(metrics));
            else EvaluationTable.Show(Spectre.Console.AnsiConsole.Console, metrics);
            return ExitCode.Done;
        });
        return command;
    }

    private static ReportContent Content(string model, ReviewClassifier classifier, LabelledReviews reviews, IReadOnlyList<TrainingSource> sources, IReadOnlyList<Classification> classifications) => new()
    {
        Title = $"{model} on {string.Join(", ", sources.Select(source => source.Name))}",
        Subtitle = string.Create(CultureInfo.InvariantCulture, $"Measured on {reviews.Rows.Count:N0} reviews, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC."),
        HeldOut = new HeldOutPredictions(reviews.Rows, [.. classifications.Select(one => one.Probabilities)]),
        Data = [LabelCounts.Of("measured on", reviews.Rows, classifier.NumLabels)],
        Settings =
        [
            new("Model", [("model", model), ("dtype", classifier.Dtype), ("maxLength", classifier.MaxLength.ToString(CultureInfo.InvariantCulture))]),
            new("Files", [.. sources.Select(source => (source.Name, string.Create(CultureInfo.InvariantCulture, $"{source.Rows:N0} rows")))]),
        ],
    };
}
