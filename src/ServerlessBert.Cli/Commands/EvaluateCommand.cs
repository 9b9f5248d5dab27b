using System.CommandLine;
using ServerlessBert.Modeling;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert evaluate --data FILE --model DIR</c>: how good a model is on labelled reviews.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var data = new Option<FileInfo[]>("--data", "-d") { Description = "Labelled review files.", Required = true, AllowMultipleArgumentsPerToken = true };
        var json = new Option<bool>("--json") { Description = "The metrics as JSON." };
        var model = new ModelOptions();
        var command = new Command("evaluate", "Measure a model on labelled reviews.") { data, json };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (reviews, _) = await LocalReviews.LabelledAsync(parsed.GetRequiredValue(data), cancellationToken);
            if (reviews.Rows.Count == 0) throw new UsageException("none of the rows has a rating to measure against (stars 1-5 or label 0-4).");
            using ReviewClassifier classifier = model.Load(parsed);
            if (reviews.Rows.FirstOrDefault(row => row.Label >= classifier.NumLabels) is { } beyond)
                throw new InvalidDataException($"a row has {beyond.Label + 1} stars, but the model knows only 1 to {classifier.NumLabels}.");

            IReadOnlyList<Classification> classifications = classifier.Classify([.. reviews.Rows.Select(row => row.Text)], cancellationToken);
            var metrics = EvaluationMetrics.Of([.. reviews.Rows.Select(row => row.Label)], [.. classifications.Select(one => one.Probabilities)]);
            if (parsed.GetValue(json)) Console.WriteLine(Json.Of(metrics));
            else EvaluationTable.Show(Spectre.Console.AnsiConsole.Console, metrics);
            return ExitCode.Done;
        });
        return command;
    }
}
