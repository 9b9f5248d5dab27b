using Azure.Storage.Blobs;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Output;
using ServerlessBert.Pipeline.Operations;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews.Files;
using ServerlessBert.Reviews;
using Spectre.Console;
using System.Diagnostics;
using System.Text.Json;

namespace ServerlessBert.Cli.Commands;

/// <summary>Follows a run to its end: with a bar where a person watches, else in silence but for what they should know.</summary>
internal static class RunFollower
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500), SilentStart = TimeSpan.FromSeconds(20);

    public static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, CancellationToken cancellationToken)
    {
        if (!Terminal.IsWatched) return await FollowAsync(runs, blob, etag, _ => { }, cancellationToken);
        return await Terminal.Errors.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(TerminalText.Escape(blob)));
                return await FollowAsync(runs, blob, etag, progress =>
                {
                    task.MaxValue = Math.Max(1, progress.Run.Batches ?? 1);
                    task.Value = progress.Run.State == RunState.Done ? task.MaxValue : progress.Staged;
                    task.Description =
                        Markup.Escape($"{TerminalText.Escape(blob)}: "
                            + progress.Run.State.ToString().ToLowerInvariant()
                            + (progress.Run.Rows is { } rows ? $", {Count.Of(rows, "row")}" : ""));
                }, cancellationToken);
            });
    }

    private static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, Action<RunProgress> show,
        CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        bool hasWarned = false;
        await foreach (RunProgress? progress in runs.FollowAsync(blob, etag, Interval, cancellationToken))
        {
            if (progress is null)
            {
                if (hasWarned || Stopwatch.GetElapsedTime(start) < SilentStart) continue;
                hasWarned = true;
                Terminal.Log($"{blob} was not taken yet; it waits for a running host (sbert host) and a live model (sbert models "
                    + $"list). Ctrl-C leaves it there.");
                continue;
            }
            show(progress);
            if (progress.Run.IsFinished) return progress.Run;
        }
        throw new OperationCanceledException(cancellationToken);
    }
}

/// <summary>What is said of a drop whose run has ended, and its files fetched.</summary>
internal static class FinishedDrop
{
    /// <summary>Fetches predictions and summary and prints the counts; false where the run gave no predictions.</summary>
    public static async Task<bool> ReportAsync(
        PipelineStorage storage, Run run, FileInfo file, string folder, int show, CancellationToken cancellationToken)
    {
        if (run.State != RunState.Done)
        {
            string code = run.ErrorCode is null ? "" : $" ({run.ErrorCode})";
            Terminal.Fail($"{file.Name}: {run.State.ToString().ToLowerInvariant()}{code}: {run.ErrorMessage}");
            return false;
        }
        Directory.CreateDirectory(folder);
        BlobContainerClient container = storage.Container(StorageNames.Predictions);
        string predictions = Path.Combine(folder, $"{file.Name}.predictions.jsonl"),
            summaryFile = Path.Combine(folder, $"{file.Name}.summary.json");
        await container.GetBlobClient(run.PredictionsName).DownloadToAsync(predictions, cancellationToken);
        await container.GetBlobClient(run.SummaryName).DownloadToAsync(summaryFile, cancellationToken);

        if (show > 0) await ShowRowsAsync(file, predictions, show, cancellationToken);
        await using FileStream content = File.OpenRead(summaryFile);
        RunSummary summary = await JsonSerializer.DeserializeAsync<RunSummary>(content, RunSummary.Json, cancellationToken)
            ?? throw new InvalidDataException($"{summaryFile} is empty.");
        Terminal.WriteLine(
            $"{file.Name}: {Count.Of(summary.Rows, "row")}, {Count.Of(summary.Predictions, "prediction")} by {summary.Model}");
        foreach ((string code, long count) in summary.Errors) Terminal.WriteLine($"  {Count.Of(count, "row")} with error {code}");
        if (summary.Labelled > 0) Terminal.WriteLine(
            $"  accuracy {summary.Accuracy:0.000} on {Count.Of(summary.Labelled, "labelled row")}, {summary.MeanAbsoluteError:0.00} "
                + $"stars off on average");
        Terminal.WriteLine($"  {predictions}");
        Terminal.WriteLine($"  {summaryFile}");
        return true;
    }

    private static async Task ShowRowsAsync(FileInfo file, string predictions, int show, CancellationToken cancellationToken)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("row", "stars", "actual", "confidence", "review");
        using StreamReader lines = File.OpenText(predictions);
        await using FileStream content = file.OpenRead();
        await foreach (Review review in ReviewFileReader.ReadAsync(content, file.Name, ReviewSettings.Load(), cancellationToken))
        {
            if (show-- == 0 || await lines.ReadLineAsync(cancellationToken) is not { } line) break;
            using JsonDocument prediction = JsonDocument.Parse(line);
            JsonElement row = prediction.RootElement;
            table.AddRow(
                new Text($"{review.Row}"),
                new Text(row.TryGetProperty("stars", out JsonElement stars) ? new string('★', stars.GetInt32())
                    : row.GetProperty("error").GetProperty("code").GetString()!),
                new Text(review.Stars is int actual ? new string('★', actual) : ""),
                new Text(row.TryGetProperty("confidence", out JsonElement confidence) ? $"{confidence.GetDouble():0.00}" : ""),
                Terminal.TextOf(Shorten(review.Text)));
        }
        Terminal.Results.Write(table);
    }

    private static string Shorten(string text)
    {
        const int longest = 70;
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= longest ? line : string.Concat(line.AsSpan(0, longest - 1), "…");
    }
}
