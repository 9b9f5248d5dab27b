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
        var data = new Option<FileInfo[]>(
            "--data", "-d")
        { Description = "Labelled review files.", Required = true, AllowMultipleArgumentsPerToken = true };
        var json = new Option<bool>("--json") { Description = "The metrics as JSON." };
        var report = new Option<FileInfo?>(
            "--report")
        { Description = "An HTML file for the scores, the confusion matrix, the calibration and the worst mistakes." };
        var model = new ModelOptions();
        var command = new Command("evaluate", "Measure a model on labelled reviews.") { data, json, report };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            model.RequireFolder(parsed);
            FileInfo[] files = parsed.GetRequiredValue(data);
            foreach (FileInfo file in files) InputFile.Require(file);
            using OutputFile? page = parsed.GetValue(report) is { } target ? OutputFile.Prepare(target, "--report", files) : null;
            var (reviews, sources) = await LocalReviews.ReadAsync(files, cancellationToken);
            if (reviews.Rows.Count == 0)
            {
                string names = string.Join(", ", sources.Select(source => source.Name)), why = string.Join("; ", reviews.Remarks);
                throw new UsageException(
                    $"No row of {names} has a rating to measure against ({why}); give it stars from 1 to 5, or labels from 0 to 4.");
            }
            LocalReviews.Report(reviews);
            using ReviewClassifier classifier = model.Load(parsed);
            if (reviews.Rows.FirstOrDefault(row => row.Label >= classifier.NumLabels) is { } beyond)
                throw new InvalidDataException(
                    $"A row has {beyond.Label + 1} stars, but the model knows only 1 to {classifier.NumLabels}; give it rows of its "
                        + $"own scale.");

            IReadOnlyList<Classification> classifications =
                classifier.Classify([.. reviews.Rows.Select(row => row.Text)], cancellationToken);
            var metrics = EvaluationMetrics.Of(
                [.. reviews.Rows.Select(row => row.Label)], [.. classifications.Select(one => one.Probabilities)]);
            if (page is not null)
            {
                await using (var writer = new StreamWriter(page.Open()))
                    await writer.WriteAsync(
                        TrainingReport.Html(Content(model.Name(parsed), classifier, reviews, sources, classifications)));
                page.Commit();
            }
            if (parsed.GetValue(json)) Terminal.WriteJson(metrics);
            else EvaluationTable.Show(Terminal.Results, metrics);
            return ExitCode.Done;
        });
        return command;
    }

    private static ReportContent Content(
        string model, ReviewClassifier classifier, LabelledReviews reviews,
        IReadOnlyList<TrainingSource> sources, IReadOnlyList<Classification> classifications) => new()
        {
            Title = $"{model} on {string.Join(", ", sources.Select(source => source.Name))}",
            Subtitle = string.Create(
            CultureInfo.InvariantCulture, $"Measured on {reviews.Rows.Count:N0} reviews, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC."),
            HeldOut = new HeldOutPredictions(reviews.Rows, [.. classifications.Select(one => one.Probabilities)]),
            Data = [LabelCounts.Of("measured on", reviews.Rows, classifier.NumLabels)],
            Settings =
        [
            new("Model", [("model", model), ("dtype", classifier.Dtype),
                ("maxLength", classifier.MaxLength.ToString(CultureInfo.InvariantCulture))]),
            new("Files", [.. sources.Select(
                source => (source.Name, string.Create(CultureInfo.InvariantCulture, $"{source.Rows:N0} rows")))]),
        ],
        };
}
