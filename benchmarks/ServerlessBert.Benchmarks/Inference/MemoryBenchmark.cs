using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary><c>memory</c>: a soak of short reviews, which make the most allocations a token, and what the process then holds.</summary>
internal static class MemoryBenchmark
{
    private const int Batch = 500, Readings = 10, MaxTokens = 40;

    public static Command Command()
    {
        var reviews = new Option<int>("--reviews") { Description = "Reviews in all.", DefaultValueFactory = _ => 100_000 };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command("memory", "Resident memory over a soak of short reviews, mini's shape.") { reviews, results };
        command.SetAction(parsed =>
        {
            int step = parsed.GetValue(reviews) / Readings;
            var figures = new Dictionary<string, double>();
            var rows = Enumerable.Range(1, Readings).Select(reading => new List<string> { $"{reading * step}" }).ToList();
            InferenceDtype[] dtypes = [InferenceDtype.Int8, InferenceDtype.BFloat16];
            foreach (InferenceDtype dtype in dtypes)
            {
                BertTokenizer tokenizer = BaseModel.Tokenizer();
                using var classifier =
                    ReviewClassifier.Of(
                    Checkpoint.Create(BertConfig.Preset("mini", tokenizer.VocabularySize), tokenizer, seed: 1),
                    new InferenceOptions { Dtype = dtype });
                var native = new List<double>();
                var random = new Random(1);
                for (int reading = 0; reading < Readings; reading++)
                {
                    for (int done = 0; done < step; done += Batch)
                        classifier.Classify(
                            [.. Enumerable.Range(0, Batch)
                            .Select(_ => BenchmarkReviews.OfLength(random.Next(3, MaxTokens), random.Next()))]);
                    native.Add(NativeMegabytes());
                    rows[reading].Add(ResultTable.Number(native[^1]));
                }
                figures[$"{classifier.Dtype}, native MB after {step} reviews"] = native[0];
                figures[$"{classifier.Dtype}, native MB after {step * Readings} reviews"] = native[^1];
                figures[$"{classifier.Dtype}, growth after the first tenth, MB"] = native[^1] - native[0];
            }
            BenchmarkResult.Of(
                "memory", figures,
                new ResultTable(["reviews", .. dtypes.Select(dtype => $"{dtype.ToString().ToLowerInvariant()}, native MB")], rows))
                .Show(parsed.GetValue(results));
        });
        return command;
    }

    /// <summary>What the process holds beside the managed heap.</summary>
    private static double NativeMegabytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return (Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes) / 1e6;
    }
}
