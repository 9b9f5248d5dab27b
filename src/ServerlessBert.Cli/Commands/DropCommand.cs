using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Pipeline.Batches;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Files;
using Spectre.Console;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert drop FILE…</c>: upload review files; with <c>--wait</c>, follow them and fetch the predictions.</summary>
internal static class DropCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("files") { Description = "Reviews: .jsonl, .csv, .tsv or .txt, each also .gz, or .parquet.", Arity = ArgumentArity.OneOrMore };
        var wait = new Option<bool>("--wait", "-w") { Description = "Follow the files until their predictions are there." };
        var output = new Option<DirectoryInfo?>("--out", "-o") { Description = "With --wait: the folder for predictions and summaries (default: where each file is)." };
        Option<int?> show = TypedOption.Whole("With --wait: show this many predictions of each file (0).", 0, int.MaxValue, "--show");
        var command = new Command("drop", "Upload review files for the functions to classify.") { files, wait, output, show };
        command.HaveNoEffectWithout(wait, output, show);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo[] inputs = parsed.GetRequiredValue(files);
            if (inputs.FirstOrDefault(file => !file.Exists) is { } absent) throw new UsageException($"{absent.FullName} is not there.");
            foreach (FileInfo file in inputs)
            {
                if (!BlobName.TryParse(file.Name, out _, out string? odd)) throw new UsageException(odd);
                if (!ReviewContent.TryGetFormat(file.Name, out _, out _, out string? reason)) throw new UsageException($"{file.Name}: {reason}");
            }

            PipelineStorage storage = await Storage.OpenAsync(cancellationToken);
            if (await new ModelRegistry(storage).CurrentAsync(cancellationToken) is null)
                Terminal.Say("no model is live yet; the files are classified as soon as one is (sbert models publish DIR --promote)");

            var drops = new List<(FileInfo File, string ETag)>();
            foreach (FileInfo file in inputs) drops.Add((file, await UploadAsync(storage, file, cancellationToken)));
            if (!parsed.GetValue(wait)) return ExitCode.Done;

            bool allDone = true;
            foreach ((FileInfo file, string etag) in drops)
            {
                Run run = await RunFollower.FollowAsync(new RunStore(storage), file.Name, etag, cancellationToken);
                string folder = parsed.GetValue(output)?.FullName ?? file.DirectoryName!;
                allDone &= await FinishedDrop.ReportAsync(storage, run, file, folder, parsed.GetValue(show) ?? 0, cancellationToken);
            }
            return allDone ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<string> UploadAsync(PipelineStorage storage, FileInfo file, CancellationToken cancellationToken)
    {
        BlobClient blob = storage.Container(StorageNames.Reviews).GetBlobClient(file.Name);
        BlobContentInfo uploaded = await blob.UploadAsync(file.FullName, overwrite: true, cancellationToken);
        string etag = ETags.Unquote(uploaded.ETag.ToString());
        // What Event Grid does in Azure; where both do, the second message finds the run begun.
        await storage.Queue(StorageNames.ReviewFiles).SendMessageAsync(new ReviewFileMessage { Blob = BlobName.Parse(file.Name), ETag = etag }.ToBody(), cancellationToken: cancellationToken);
        Terminal.Say($"dropped {file.Name} ({file.Length:N0} bytes) into {StorageNames.Reviews}/");
        return etag;
    }
}

/// <summary>Follows a run to its end: with a bar where a person watches, else in silence but for what they should know.</summary>
internal static class RunFollower
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500), Patience = TimeSpan.FromSeconds(20);

    public static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, CancellationToken cancellationToken)
    {
        if (!Terminal.IsWatched) return await FollowAsync(runs, blob, etag, _ => { }, cancellationToken);
        return await Terminal.Remarks.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(blob));
                return await FollowAsync(runs, blob, etag, progress =>
                {
                    task.MaxValue = Math.Max(1, progress.Run.Batches ?? 1);
                    task.Value = progress.Run.State == RunState.Done ? task.MaxValue : progress.Staged;
                    task.Description = Markup.Escape($"{blob}: {progress.Run.State.ToString().ToLowerInvariant()}{(progress.Run.Rows is { } rows ? $", {rows:N0} rows" : "")}");
                }, cancellationToken);
            });
    }

    private static async Task<Run> FollowAsync(RunStore runs, string blob, string etag, Action<RunProgress> show, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        bool hasWarned = false;
        await foreach (RunProgress? progress in runs.FollowAsync(blob, etag, Interval, cancellationToken))
        {
            if (progress is null)
            {
                if (hasWarned || Stopwatch.GetElapsedTime(start) < Patience) continue;
                hasWarned = true;
                Terminal.Say($"{blob} was not taken yet; it waits for a running host (sbert host) and a live model (sbert models list). Ctrl-C leaves it there.");
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
