using System.CommandLine;
using System.Diagnostics;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert classify FILE… --model DIR</c>: files' predictions with no storage at all.</summary>
internal static class ClassifyCommand
{
    private static readonly string[] Formats = ["jsonl", "csv", "tsv", "txt"];

    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("file")
        {
            Description = "Reviews: .jsonl, .csv, .tsv or .txt, each also .gz, or .parquet; - reads standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<FileInfo?>("--out", "-o")
        {
            Description = "The .jsonl file to write; of several files, the folder (standard output).",
        };
        Option<string?> format = TypedOption.Create<string>(
            new OptionType(typeof(string), words: Formats), "The format of standard input (what it looks like).", "--input-format");
        var model = new ModelOptions();
        var command = new Command("classify", "Classify files of reviews with a checkpoint folder.") { files, output, format };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo[] inputs = parsed.GetRequiredValue(files);
            bool isSingle = inputs.Length == 1;
            if (parsed.IsGiven(format) && !inputs.Any(IsStandardInput))
                throw new UsageException("--input-format has no effect without -, which reads standard input.");
            RequireReviews(inputs);
            ReviewOptions options = ReviewSettings.Load();
            model.RequireFolder(parsed);
            OutputFile?[] outputs =
                parsed.GetValue(output) is { } target ? [.. Prepare(inputs, target, isSingle)] : new OutputFile?[inputs.Length];
            try
            {
                using ReviewClassifier classifier = model.Load(parsed);
                var classification = new LocalClassification(classifier, model.Name(parsed), options);
                long start = Stopwatch.GetTimestamp();
                BatchStatistics total = BatchStatistics.Empty;
                foreach ((FileInfo input, OutputFile? into) in inputs.Zip(outputs))
                {
                    (Stream content, string name) = IsStandardInput(input)
                        ? StandardInput.OpenReviews(parsed.GetValue(format), options)
                        : (input.OpenRead(), input.Name);
                    await using (content)
                        total += await InputFile.ReadAsync(name, () => RunAsync(classification, content, name, into, cancellationToken));
                }
                StatisticsTable.Show(total, Stopwatch.GetElapsedTime(start), $"{classifier.Dtype}");
            }
            finally
            {
                foreach (OutputFile? each in outputs) each?.Dispose();
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static bool IsStandardInput(FileInfo input) => $"{input}" == StandardInput.Name;

    private static void RequireReviews(FileInfo[] inputs)
    {
        if (inputs.Count(IsStandardInput) > 1) throw new UsageException("- is given twice; standard input can be read once.");
        foreach (FileInfo input in inputs.Where(input => !IsStandardInput(input)))
        {
            InputFile.Require(input);
            if (!ReviewContent.TryGetFormat(input.Name, out _, out _, out string? reason))
                throw new InvalidDataException($"{input.Name}: {reason}");
        }
    }

    // All are looked at before anything is computed.
    private static IEnumerable<OutputFile> Prepare(FileInfo[] inputs, FileInfo target, bool isSingle)
    {
        FileInfo[] files = [.. inputs.Where(input => !IsStandardInput(input))];
        if (isSingle) return [OutputFile.Prepare(target, "--out", files)];
        if (File.Exists(target.FullName))
            throw new UsageException($"--out {target} is a file; the predictions of several files go into a folder.");
        if (inputs.GroupBy(input => input.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UsageException(
                $"Two files are called {twice.Key}, and so would be their predictions; classify them one after the other.");
        return inputs.Select(input => OutputFile.Prepare(new FileInfo(Path.Combine(target.FullName, NameFor(input))), "--out", files));
    }

    private static string NameFor(FileInfo input) => $"{(IsStandardInput(input) ? "standard-input" : input.Name)}.predictions.jsonl";

    private static async Task<BatchStatistics> RunAsync(
        LocalClassification classification, Stream reviews, string name, OutputFile? into, CancellationToken cancellationToken)
    {
        if (into is null)
        {
            await using Stream standardOutput = StandardOutput.Open();
            return await classification.RunAsync(reviews, name, standardOutput, _ => { }, cancellationToken);
        }
        BatchStatistics statistics;
        await using (FileStream output = into.Open())
        {
            statistics = await RowCounter.ShowAsync(progress =>
                classification.RunAsync(reviews, name, output, progress, cancellationToken));
        }
        into.Commit();
        return statistics;
    }
}
