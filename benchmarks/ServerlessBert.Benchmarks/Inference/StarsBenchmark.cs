using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>
/// <c>stars</c>: what a trained model predicts in each number type, beside what the plain module tree predicts in float32.
/// </summary>
internal static class StarsBenchmark
{
    public static Command Command()
    {
        var model = new Option<DirectoryInfo>("--model") { Description = "A checkpoint folder of a trained model.", Required = true };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command(
            "stars", "The share of reviews that get float32's stars, by number type, with a trained model.") { model, results };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(model)!.FullName;
            IReadOnlyList<string> texts = BenchmarkReviews.Texts();
            IReadOnlyList<Classification> expected =
                Classify(folder, texts, new InferenceOptions { Dtype = InferenceDtype.Float32, PlainForward = true });
            var figures = new Dictionary<string, double> { ["reviews"] = texts.Count };
            var rows = new List<IReadOnlyList<string>>();
            foreach (InferenceDtype dtype in new[] { InferenceDtype.Float32, InferenceDtype.BFloat16, InferenceDtype.Int8 })
            {
                IReadOnlyList<Classification> answers = Classify(folder, texts, new InferenceOptions { Dtype = dtype });
                int same = answers.Zip(expected).Count(pair => pair.First.Stars == pair.Second.Stars);
                double distance = answers.Zip(expected).SelectMany(pair => pair.First.Probabilities.Zip(pair.Second.Probabilities))
                    .Max(pair => Math.Abs(pair.First - pair.Second));
                string name = dtype.ToString().ToLowerInvariant();
                figures[$"{name}, share of equal stars"] = (double)same / texts.Count;
                figures[$"{name}, largest distance of a probability"] = distance;
                rows.Add([name, $"{same} of {texts.Count}", ResultTable.Number(distance)]);
            }
            BenchmarkResult.Of(
                "stars", figures, new ResultTable(["number type", "the same stars", "largest distance of a probability"], rows))
                .Show(parsed.GetValue(results));
        });
        return command;
    }

    private static IReadOnlyList<Classification> Classify(string folder, IReadOnlyList<string> texts, InferenceOptions options)
    {
        using var classifier = ReviewClassifier.Load(folder, options);
        return classifier.Classify(texts);
    }
}
