using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary><c>lengths</c>: what a token costs by the length of its review.</summary>
internal static class LengthsBenchmark
{
    private const int Tokens = 2048;
    private static readonly int[] Lengths = [16, 64, 128, 512];

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median counts.", DefaultValueFactory = _ => 3 };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command("lengths", "Tokens a second at bert-base's shape by the length of reviews.") { rounds, results };
        command.SetAction(parsed => NativeThread.Run(() => // all of it: a second thread's team of workers would slow the first's
        {
            using var model = BaseModel.Create();
            var figures = new Dictionary<string, double>();
            var rows = Lengths.ToDictionary(length => length, length => new List<string> { $"{length}" });
            InferenceDtype[] dtypes = [InferenceDtype.Int8, InferenceDtype.BFloat16];
            foreach (InferenceDtype dtype in dtypes)
            {
                using var classifier = ReviewClassifier.Load(model.Float32, new InferenceOptions { Dtype = dtype });
                Side[] sides = [.. Lengths.Select(length =>
                {
                    EncodedText[] texts = [.. Enumerable.Range(0, Tokens / length).Select(seed => BenchmarkReviews.OfLength(length, seed))];
                    return new Side($"{length}", texts, () => classifier.Classify(texts));
                })];
                Side.Measure(sides, 1); // chooses kernels, allocates
                Side.Measure(sides, parsed.GetValue(rounds));
                foreach (Side side in sides)
                {
                    figures[$"{classifier.Dtype}, {side.Name} tokens a review, tokens/s"] = side.TokensPerSecond;
                    rows[int.Parse(side.Name, System.Globalization.CultureInfo.InvariantCulture)].Add(
                        ResultTable.Number(side.TokensPerSecond));
                }
                figures[$"{classifier.Dtype}, 64 tokens a review over 512, in tokens/s"] =
                    sides[1].TokensPerSecond / sides[3].TokensPerSecond;
            }
            BenchmarkResult.Of(
                "lengths", figures,
                new ResultTable(
                ["tokens a review", .. dtypes.Select(dtype => $"{dtype.ToString().ToLowerInvariant()}, tokens/s")], [.. rows.Values]))
                .Show(parsed.GetValue(results));
        }));
        return command;
    }
}
