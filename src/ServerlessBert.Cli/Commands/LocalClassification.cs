using System.Buffers;
using System.Diagnostics;
using System.Threading.Channels;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Cli.Commands;

/// <summary>
/// Classifies a file with no storage: the functions' reader, batches, model and writer in one process. Reading and
/// tokenizing the next batch go on while one computes.
/// </summary>
/// <param name="classifier">The model.</param>
/// <param name="model">The name that predictions give it.</param>
/// <param name="options">How files are read.</param>
internal sealed class LocalClassification(ReviewClassifier classifier, string model, ReviewOptions options)
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
    public async Task<BatchStatistics> RunAsync(Stream input, string name, Stream output, Action<long> progress,
        CancellationToken cancellationToken)
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
            await foreach ((_, IReadOnlyList<Review> reviews) in ReviewFileReader.ReadBatchesAsync(input, name, options, cancellationToken))
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
