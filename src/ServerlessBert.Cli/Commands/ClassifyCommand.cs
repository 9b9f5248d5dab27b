using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using System.Threading.Channels;
using ServerlessBert.Cli.Input;
using ServerlessBert.Cli.Options;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

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

/// <summary>
/// Classifies a file with no storage: the functions' reader, batches, model and writer in one process. Reading and
/// tokenizing the next batch go on while one computes.
/// </summary>
/// <param name="classifier">The model.</param>
/// <param name="model">The name that predictions give it.</param>
internal sealed class LocalClassification(ReviewClassifier classifier, string model)
{
    // Batches read ahead: one computes, one waits, one is being read.
    private const int BatchesAhead = 2;

    private sealed record Work(IReadOnlyList<Review> Reviews, ReadableRows Readable, IReadOnlyList<EncodedText> Texts);

    /// <summary>Writes a prediction for every row, in order.</summary>
    /// <param name="input">The reviews.</param>
    /// <param name="name">The file's name, whose endings tell its form.</param>
    /// <param name="output">Takes JSON Lines.</param>
    /// <param name="progress">Told the rows done after each batch.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <returns>The counts of all rows.</returns>
    public async Task<BatchStatistics> RunAsync(Stream input, string name, Stream output, Action<long> progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<Work>(BatchesAhead);
        Task reading = ReadAsync(input, name, channel.Writer, stop.Token);
        BatchStatistics total = BatchStatistics.Empty;
        try
        {
            await foreach (Work work in channel.Reader.ReadAllAsync(cancellationToken))
            {
                long start = Stopwatch.GetTimestamp();
                Classification?[] classifications = work.Readable.Align(classifier.Classify(work.Texts, cancellationToken));
                total += BatchStatistics.Compute(work.Reviews, classifications, model, Stopwatch.GetElapsedTime(start).TotalSeconds);
                await output.WriteAsync(Lines(work.Reviews, classifications), cancellationToken);
                progress(total.Rows);
            }
        }
        finally
        {
            await stop.CancelAsync();
        }
        await reading;
        return total;
    }

    private async Task ReadAsync(Stream input, string name, ChannelWriter<Work> writer, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            await foreach ((_, IReadOnlyList<Review> reviews) in ReviewFileReader.ReadBatchesAsync(input, name, new ReviewOptions(), cancellationToken))
            {
                var readable = new ReadableRows(reviews);
                await writer.WriteAsync(new Work(reviews, readable, classifier.Tokenize(readable.Texts)), cancellationToken);
            }
        }
        catch (Exception exception)
        {
            failure = exception; // handed to the one who reads the channel
        }
        writer.Complete(failure);
    }

    private ReadOnlyMemory<byte> Lines(IReadOnlyList<Review> reviews, Classification?[] classifications)
    {
        var buffer = new ArrayBufferWriter<byte>(reviews.Count * 160);
        for (int row = 0; row < reviews.Count; row++) PredictionWriter.Write(buffer, reviews[row], classifications[row], model);
        return buffer.WrittenMemory;
    }
}
