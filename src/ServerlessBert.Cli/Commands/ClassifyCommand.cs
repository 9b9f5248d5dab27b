using System.CommandLine;
using System.Diagnostics;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Predictions;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert classify FILE --model DIR</c>: a file's predictions with no storage at all.</summary>
internal static class ClassifyCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "Reviews: .jsonl, .csv, .tsv or .txt, each also .gz, or .parquet." };
        var output = new Option<FileInfo?>("--out", "-o") { Description = "The .jsonl file to write (default: standard output)." };
        var model = new ModelOptions();
        var command = new Command("classify", "Classify a file of reviews with a checkpoint folder.") { file, output };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo input = parsed.GetRequiredValue(file);
            if (!input.Exists) throw new UsageException($"{input.FullName} is not there.");
            using ReviewClassifier classifier = model.Load(parsed);
            await using FileStream reviews = input.OpenRead();
            long start = Stopwatch.GetTimestamp();
            var classification = new LocalClassification(classifier, model.Name(parsed));
            BatchStatistics statistics = parsed.GetValue(output) is { } target
                ? await IntoFileAsync(classification, reviews, input.Name, target, cancellationToken)
                : await IntoStandardOutputAsync(classification, reviews, input.Name, cancellationToken);
            StatisticsTable.Show(statistics, Stopwatch.GetElapsedTime(start), $"{classifier.Dtype}");
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<BatchStatistics> IntoStandardOutputAsync(LocalClassification classification, Stream reviews, string name, CancellationToken cancellationToken)
    {
        await using Stream output = Console.OpenStandardOutput();
        return await classification.RunAsync(reviews, name, output, _ => { }, cancellationToken);
    }

    // Written beside and moved at the end: a half-written predictions file is never visible.
    private static async Task<BatchStatistics> IntoFileAsync(LocalClassification classification, Stream reviews, string name, FileInfo target, CancellationToken cancellationToken)
    {
        target.Directory?.Create();
        string partial = target.FullName + ".partial";
        try
        {
            BatchStatistics statistics;
            await using (FileStream output = File.Create(partial))
                statistics = await RowCounter.ShowAsync(progress => classification.RunAsync(reviews, name, output, progress, cancellationToken));
            File.Move(partial, target.FullName, overwrite: true);
            return statistics;
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
