using System.CommandLine;
using System.Text;
using CsvHelper;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Decoding;

namespace ServerlessBert.Cli.Commands;

/// <summary><c>sbert generate</c>: labelled reviews by a seeded grammar, for the demonstration and for trying things out.</summary>
internal static class GenerateCommand
{
    private const int DefaultRows = 1000, DefaultSeed = 42;

    public static Command Create()
    {
        Option<int?> rows = TypedOption.Whole($"How many reviews ({DefaultRows}).", 1, int.MaxValue, "--rows");
        Option<int?> seed =
            TypedOption.Whole($"The same seed writes the same reviews ({DefaultSeed}).", int.MinValue, int.MaxValue, "--seed");
        var output = new Option<FileInfo>("--out", "-o") { Description = "The .jsonl, .csv or .tsv file to write.", Required = true };

        var command = new Command(
            "generate", "Write labelled reviews by a seeded grammar, to try things out without data.") { rows, seed, output };
        command.SetAction(parsed =>
        {
            FileInfo file = parsed.GetRequiredValue(output);
            ReviewFormat format = FormatOf(file);
            using OutputFile into = OutputFile.Prepare(file, "--out");
            int count = parsed.GetValue(rows) ?? DefaultRows;
            using (var writer = new StreamWriter(into.Open(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)))
                Write(writer, format, Generate(count, parsed.GetValue(seed) ?? DefaultSeed));
            into.Commit();
            Terminal.Log($"{Count.Of(count, "generated review")} in {file.FullName}");
            return ExitCode.Done;
        });
        return command;
    }

    private static ReviewFormat FormatOf(FileInfo file) =>
        ReviewContent.TryGetFormat(file.Name, out ReviewFormat format, out bool isCompressed, out _) && !isCompressed
            && format != ReviewFormat.Text
            && !file.Extension.Equals(".parquet", StringComparison.OrdinalIgnoreCase)
            ? format
            : throw new UsageException($"--out {file} ends in '{file.Extension}'; give a name that ends in .jsonl, .csv or .tsv.");

    private static IEnumerable<GeneratedReview> Generate(int count, int seed)
    {
        var grammar = new ReviewGrammar(seed);
        for (int row = 0; row < count; row++)
        {
            (string text, int stars) = grammar.Next();
            yield return new GeneratedReview($"g{row}", stars, text);
        }
    }

    private static void Write(TextWriter writer, ReviewFormat format, IEnumerable<GeneratedReview> reviews)
    {
        if (format == ReviewFormat.JsonLines)
        {
            foreach (GeneratedReview review in reviews) writer.WriteLine(Json.LineOf(review));
            return;
        }
        var options = new CsvWriterOptions { Separator = format == ReviewFormat.Tsv ? '\t' : ',', NewLine = "\n" };
        using CsvWriter csv = CsvWriter.Create(writer, options, leaveOpen: true);
        csv.WriteRecord(["id", "stars", "text"]);
        foreach (GeneratedReview review in reviews) csv.WriteRecord([review.Id, $"{review.Stars}", review.Text]);
    }

    private sealed record GeneratedReview(string Id, int Stars, string Text);
}
