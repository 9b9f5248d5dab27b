using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Benchmarks;

/// <summary><c>split</c>: how fast a file is cut into batches, on one core, from a local stream, and what memory it takes.</summary>
internal static class SplitBenchmark
{
    private const int BlockRows = 4_000;

    public static Command Command()
    {
        var megabytes = new Option<int>("--megabytes") { Description = "Size of each file.", DefaultValueFactory = _ => 1024 };
        var command = new Command("split", "Splitting generated JSON Lines and CSV.") { megabytes };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(megabytes) * 1_048_576L, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(long length, CancellationToken cancellationToken)
    {
        string[] texts = Texts();
        byte[] json = Encoding.UTF8.GetBytes(
            string.Concat(texts.Select(
            (text, row) => JsonSerializer.Serialize(new { id = $"r{row}", text, stars = (row % 5) + 1 }) + "\n")));
        byte[] csv = Encoding.UTF8.GetBytes(
            string.Concat(texts.Select(
            (text, row) => $"r{row},\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{(row % 5) + 1}\r\n")));

        Console.WriteLine($"Splitting, {DateTime.UtcNow:yyyy-MM-dd}, {Machine.Describe()}\n");
        Console.WriteLine("| form | MB | rows | batches | s | MB/s | peak memory of the process, MB |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        await MeasureAsync("JSON Lines", [], json, ReviewFormat.JsonLines, length, cancellationToken);
        await MeasureAsync("CSV", "id,text,stars\r\n"u8.ToArray(), csv, ReviewFormat.Csv, length, cancellationToken);
        return 0;
    }

    private static async Task MeasureAsync(
        string form, byte[] head, byte[] block, ReviewFormat format, long length, CancellationToken cancellationToken)
    {
        // Once small, so that the code is compiled.
        await ReviewSplitter.SplitAsync(new RepeatedStream(head, block, 64 * 1_048_576), format, new ReviewOptions(), cancellationToken);
        var clock = Stopwatch.StartNew();
        ReviewFilePlan plan =
            await ReviewSplitter.SplitAsync(new RepeatedStream(head, block, length), format, new ReviewOptions(), cancellationToken);
        double seconds = clock.Elapsed.TotalSeconds, size = plan.Bytes / 1e6;
        double peak = Process.GetCurrentProcess().PeakWorkingSet64 / 1e6;
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture,
            $"| {form} | {size:0} | {plan.Rows} | {plan.Batches.Count} | {seconds:0.00} | {size / seconds:0} | {peak:0} |"));
    }

    // As long as Yelp's reviews, some 700 bytes, with quotes, commas and line breaks as people write them.
    private static string[] Texts()
    {
        var random = new Random(1);
        string[] words =
            ["the", "food", "was", "great", "and", "service", "slow,", "but", "\"friendly\"", "we", "will", "come", "back", "again.\n",
            "café", "never"];
        return [.. Enumerable.Range(0, BlockRows)
            .Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(20, 240)).Select(_ => words[random.Next(words.Length)])))];
    }
}
