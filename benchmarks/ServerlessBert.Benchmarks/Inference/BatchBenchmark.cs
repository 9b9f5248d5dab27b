using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary><c>batch</c>: reviews a second by the tokens of a pass.</summary>
internal static class BatchBenchmark
{
    private const int Every = 50; // of the sorted reviews
    private static readonly int[] Budgets = [256, 512, 1024, 2048, 4096];

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median counts.", DefaultValueFactory = _ => 3 };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command("batch", "Reviews a second at bert-base's shape by token budget.") { rounds, results };
        command.SetAction(parsed => NativeThread.Run(() => // all of it: a second thread's team of workers would slow the first's
        {
            using var model = BaseModel.Create();
            EncodedText[] texts =
                [.. BenchmarkReviews.Sorted(BertTokenizer.FromFolder(model.Float32)).Where((_, index) => index % Every == 0)
                .OrderBy(text => text.InputIds.Length * 7919 % 1009)];
            var figures = new Dictionary<string, double>();
            var rows = Budgets.ToDictionary(budget => budget, budget => new List<string> { $"{budget}" });
            InferenceDtype[] dtypes = [InferenceDtype.Int8, InferenceDtype.BFloat16];
            foreach (InferenceDtype dtype in dtypes)
            {
                ReviewClassifier[] classifiers =
                    [.. Budgets.Select(
                    budget => ReviewClassifier.Load(model.Float32, new InferenceOptions { Dtype = dtype, TokenBudget = budget }))];
                Side[] sides = [.. Budgets.Zip(
                    classifiers, (budget, classifier) => new Side($"{budget}", texts, () => classifier.Classify(texts)))];
                Side.Measure(sides, 1);
                Side.Measure(sides, parsed.GetValue(rounds));
                foreach (var (budget, side) in Budgets.Zip(sides))
                {
                    figures[$"{classifiers[0].Dtype}, {budget} tokens a pass, reviews/s"] = side.ReviewsPerSecond;
                    rows[budget].Add(ResultTable.Number(side.ReviewsPerSecond));
                }
                foreach (ReviewClassifier classifier in classifiers) classifier.Dispose();
            }
            BenchmarkResult.Of(
                "batch", figures,
                new ResultTable(
                ["tokens a pass", .. dtypes.Select(dtype => $"{dtype.ToString().ToLowerInvariant()}, reviews/s")], [.. rows.Values]))
                .Show(parsed.GetValue(results));
        }));
        return command;
    }
}
