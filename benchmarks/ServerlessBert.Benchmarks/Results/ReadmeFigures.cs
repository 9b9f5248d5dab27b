using System.CommandLine;

namespace ServerlessBert.Benchmarks.Results;

/// <summary><c>readme</c>: the block of README.md that quotes the committed results, written from their JSON.</summary>
internal static class ReadmeFigures
{
    /// <summary>What stands before and after the block.</summary>
    public const string Begin = "<!-- from benchmarks/results, by the benchmarks' verb readme -->", End = "<!-- end -->";

    public static Command Command()
    {
        var command = new Command("readme", "Writes README.md's figures from benchmarks/results.");
        command.SetAction(_ =>
        {
            string readme = Path.Combine(Repository(), "README.md");
            File.WriteAllText(readme, Rewrite(File.ReadAllText(readme), Path.Combine(Repository(), "benchmarks", "results")));
        });
        return command;
    }

    /// <summary>The repository that the program was built in.</summary>
    public static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ServerlessBert.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("The benchmarks run inside of the repository.");
    }

    /// <summary>A document with its block made anew: empty where the results are not all there.</summary>
    /// <param name="document">Text with <see cref="Begin"/> and <see cref="End"/>.</param>
    /// <param name="results">The folder of the results.</param>
    public static string Rewrite(string document, string results)
    {
        int begin = document.IndexOf(Begin, StringComparison.Ordinal),
            end = document.IndexOf(End, Math.Max(0, begin), StringComparison.Ordinal);
        if (begin < 0 || end < 0) throw new InvalidDataException($"There is no block of figures: {Begin} … {End}");
        return $"{document[..(begin + Begin.Length)]}\n{Block(results)}{document[end..]}";
    }

    private static string Block(string results)
    {
        if (!new[] { "inference", "lengths", "cold" }.All(verb => File.Exists(Path.Combine(results, $"{verb}.json")))) return "";
        BenchmarkResult inference = Read(results, "inference"), lengths = Read(results, "lengths"), cold = Read(results, "cold");
        string dtype = inference.Labels["fastest"];
        string Times(string figure) => $"{ResultTable.Number(inference.Figures[figure])} ×";
        var table = new ResultTable(
            [$"bert-base, Yelp's review lengths, {inference.Machine.Split(", Debian")[0].Split(", Ubuntu")[0]}", dtype],
        [
            ["reviews a second", ResultTable.Number(inference.Figures[$"ServerlessBert {dtype}, reviews/s"])],
            ["over ONNX Runtime, int8 dynamic, fused, sorted and padded", Times("over ONNX Runtime int8 dynamic")],
            ["over ONNX Runtime, float32, fused, sorted and padded", Times("over ONNX Runtime float32")],
            ["over float32 padded to 512, as the tutorial does", Times("over the tutorial's way")],
            ["64 tokens a review over 512, in tokens a second",
                $"{ResultTable.Number(lengths.Figures[$"{dtype}, 64 tokens a review over 512, in tokens/s"])} ×"],
            ["`sbert predict` to its answer, files in the page cache",
                $"{ResultTable.Number(cold.Figures["auto, s to the first prediction"])} s"],
            ["its peak resident memory", $"{ResultTable.Number(cold.Figures["auto, peak resident MB"])} MB"],
        ]);
        return table.ToMarkdown().ReplaceLineEndings("\n");
    }

    private static BenchmarkResult Read(string results, string verb) => BenchmarkResult.Read(Path.Combine(results, $"{verb}.json"));
}
