using System.CommandLine;
using System.Diagnostics;
using System.Text;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary><c>tokenizer</c>: how fast texts become ids, on one core.</summary>
internal static class TokenizerBenchmark
{
    private const int MaxTokens = 512;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median counts.", DefaultValueFactory = _ => 7 };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command("tokenizer", "Reviews a second from text to ids.") { rounds, results };
        command.SetAction(parsed =>
        {
            IReadOnlyList<string> texts = BenchmarkReviews.Texts();
            double megabytes = texts.Sum(text => (double)Encoding.UTF8.GetByteCount(text)) / 1e6;
            BertTokenizer tokenizer = BaseModel.Tokenizer();
            var seconds = new List<double>();
            long tokens = 0;
            for (int round = 0; round <= parsed.GetValue(rounds); round++)
            {
                long start = Stopwatch.GetTimestamp();
                tokens = texts.Sum(text => (long)tokenizer.EncodeText(text, MaxTokens).InputIds.Length);
                if (round > 0) seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds); // the first compiles
            }
            double median = seconds.Order().ElementAt(seconds.Count / 2);
            var figures = new Dictionary<string, double>
            {
                ["reviews/s"] = texts.Count / median,
                ["tokens/s"] = tokens / median,
                ["MB/s"] = megabytes / median,
                ["microseconds a review"] = median / texts.Count * 1e6,
            };
            BenchmarkResult.Of(
                "tokenizer", figures,
                new ResultTable(
                ["figure", "value"],
                [.. figures.Select(figure => (IReadOnlyList<string>)[figure.Key, ResultTable.Number(figure.Value)])]))
                .Show(parsed.GetValue(results));
        });
        return command;
    }
}
