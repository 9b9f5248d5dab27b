using ServerlessBert.Benchmarks.Results;

namespace ServerlessBert.Benchmarks.Tests;

public sealed class ReadmeFiguresTests : IDisposable
{
    private readonly DirectoryInfo _results = Directory.CreateTempSubdirectory();

    public void Dispose() => _results.Delete(recursive: true);

    [Fact]
    public void The_readme_quotes_the_committed_results_and_nothing_where_there_are_none()
    {
        string repository = ReadmeFigures.Repository();
        string readme = File.ReadAllText(Path.Combine(repository, "README.md"));

        Assert.Equal(ReadmeFigures.Rewrite(readme, Path.Combine(repository, "benchmarks", "results")), readme);
    }

    [Fact]
    public void The_figures_stand_between_the_marks_and_the_rest_stays()
    {
        Write("inference", ("ServerlessBert int8, reviews/s", 21.44), ("over ONNX Runtime int8 dynamic", 1.5),
            ("over ONNX Runtime float32", 3), ("over the tutorial's way", 15.9));
        Write("lengths", ("int8, 64 tokens a review over 512, in tokens/s", 1.25));
        Write("cold", ("auto, s to the first prediction", 0.98), ("auto, peak resident MB", 687));

        string rewritten = ReadmeFigures.Rewrite($"before\n{ReadmeFigures.Begin}\nold\n{ReadmeFigures.End}\nafter\n", _results.FullName);

        Assert.StartsWith($"before\n{ReadmeFigures.Begin}\n", rewritten);
        Assert.EndsWith($"\n{ReadmeFigures.End}\nafter\n", rewritten);
        Assert.DoesNotContain("old", rewritten);
        Assert.Contains("| reviews a second | 21.4 |", rewritten);
        Assert.Contains("1.50 ×", rewritten);
    }

    [Fact]
    public void A_document_without_the_marks_is_refused() =>
        Assert.Throws<InvalidDataException>(() => ReadmeFigures.Rewrite("nothing", _results.FullName));

    private void Write(string verb, params (string Name, double Value)[] figures) =>
        (BenchmarkResult.Of(
            verb, figures.ToDictionary(figure => figure.Name, figure => figure.Value)) with
        {
            Labels =
            new Dictionary<string, string> { ["fastest"] = "int8" }
        }).Write(_results.FullName);
}
