using System.Text.Json;
using Azure.Storage.Blobs;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using Spectre.Console;

namespace ServerlessBert.Cli;

/// <summary>What is said of a drop whose run has ended, and its files fetched.</summary>
internal static class FinishedDrop
{
    /// <summary>Fetches predictions and summary and prints the counts; false where the run gave no predictions.</summary>
    public static async Task<bool> ReportAsync(PipelineStorage storage, Run run, FileInfo file, string folder, int show, CancellationToken cancellationToken)
    {
        if (run.State != RunState.Done)
        {
            Console.Error.WriteLine($"sbert: {file.Name}: {run.State.ToString().ToLowerInvariant()}{(run.ErrorCode is null ? "" : $" ({run.ErrorCode})")}: {run.ErrorMessage}");
            return false;
        }
        Directory.CreateDirectory(folder);
        BlobContainerClient container = storage.Container(StorageNames.Predictions);
        string predictions = Path.Combine(folder, $"{file.Name}.predictions.jsonl"), summaryFile = Path.Combine(folder, $"{file.Name}.summary.json");
        await container.GetBlobClient(run.PredictionsName).DownloadToAsync(predictions, cancellationToken);
        await container.GetBlobClient(run.SummaryName).DownloadToAsync(summaryFile, cancellationToken);

        if (show > 0) await ShowRowsAsync(file, predictions, show, cancellationToken);
        await using FileStream content = File.OpenRead(summaryFile);
        RunSummary summary = await JsonSerializer.DeserializeAsync<RunSummary>(content, RunSummary.Json, cancellationToken)
            ?? throw new InvalidDataException($"{summaryFile} is empty.");
        Console.WriteLine($"{file.Name}: {summary.Rows:N0} rows, {summary.Predictions:N0} predictions by {summary.Model}");
        foreach ((string code, long count) in summary.Errors) Console.WriteLine($"  {count:N0} rows with error {code}");
        if (summary.Labelled > 0) Console.WriteLine($"  accuracy {summary.Accuracy:0.000} on {summary.Labelled:N0} labelled rows, {summary.MeanAbsoluteError:0.00} stars off on average");
        Console.WriteLine($"  {predictions}");
        Console.WriteLine($"  {summaryFile}");
        return true;
    }

    private static async Task ShowRowsAsync(FileInfo file, string predictions, int show, CancellationToken cancellationToken)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("row", "stars", "actual", "confidence", "review");
        using StreamReader lines = File.OpenText(predictions);
        await using FileStream content = file.OpenRead();
        await foreach (Review review in ReviewFileReader.ReadAsync(content, file.Name, new ReviewOptions(), cancellationToken))
        {
            if (show-- == 0 || await lines.ReadLineAsync(cancellationToken) is not { } line) break;
            using JsonDocument prediction = JsonDocument.Parse(line);
            JsonElement row = prediction.RootElement;
            table.AddRow(
                new Text($"{review.Row}"),
                new Text(row.TryGetProperty("stars", out JsonElement stars) ? new string('★', stars.GetInt32()) : row.GetProperty("error").GetProperty("code").GetString()!),
                new Text(review.Stars is int actual ? new string('★', actual) : ""),
                new Text(row.TryGetProperty("confidence", out JsonElement confidence) ? $"{confidence.GetDouble():0.00}" : ""),
                new Text(Shorten(review.Text)));
        }
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 120; // no terminal to ask
        AnsiConsole.Write(table);
    }

    private static string Shorten(string text)
    {
        const int longest = 70;
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= longest ? line : string.Concat(line.AsSpan(0, longest - 1), "…");
    }
}
