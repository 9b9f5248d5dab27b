using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ServerlessBert.Benchmarks.Results;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>
/// <c>cold</c>: from the start of <c>sbert predict</c> to its answer, bert-base in bfloat16 on the local disk, files in the page
/// cache.
/// </summary>
internal static class ColdBenchmark
{
    private sealed record Start(double Seconds, double PeakMegabytes);

    public static Command Command()
    {
        var runs = new Option<int>(
            "--runs")
        { Description = "Starts of each kind, of which the median counts.", DefaultValueFactory = _ => 7 };
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command("cold", "Seconds from process start to first prediction, and peak resident memory.") { runs, results };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var model = BaseModel.Create();
            string[] kinds = ["bfloat16", "int8", "auto"];
            var figures = new Dictionary<string, double>();
            var rows = new List<IReadOnlyList<string>>();
            foreach (string dtype in kinds)
            {
                await PredictAsync(model.BFloat16, dtype, cancellationToken); // fills the page cache
                var starts = new List<Start>();
                for (int run = 0; run < parsed.GetValue(runs); run++) starts.Add(
                    await PredictAsync(model.BFloat16, dtype, cancellationToken));
                double seconds = starts.Select(start => start.Seconds).Order().ElementAt(starts.Count / 2),
                    megabytes = starts.Max(start => start.PeakMegabytes);
                figures[$"{dtype}, s to the first prediction"] = seconds;
                figures[$"{dtype}, peak resident MB"] = megabytes;
                rows.Add([dtype, ResultTable.Number(seconds), ResultTable.Number(starts.Min(start => start.Seconds)),
                    ResultTable.Number(starts.Max(start => start.Seconds)), ResultTable.Number(megabytes)]);
            }
            BenchmarkResult.Of("cold", figures, new ResultTable(["--dtype", "s, median", "least", "most", "peak resident MB"], rows))
                .Show(parsed.GetValue(results));
        });
        return command;
    }

    private static async Task<Start> PredictAsync(string model, string dtype, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo(
            "dotnet", [Sbert(), "predict", "--json", "--dtype", dtype, "--model", model,
            "The food was not bad at all."])
        { RedirectStandardOutput = true };
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(info)!;
        Task<double> peak = Task.Run(() => PeakMegabytes(process), cancellationToken);
        string? answer = await process.StandardOutput.ReadLineAsync(cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await process.WaitForExitAsync(cancellationToken);
        return answer?.Contains("\"stars\"", StringComparison.OrdinalIgnoreCase) == true ? new Start(seconds, await peak)
            : throw new InvalidOperationException($"sbert predict answered: {answer}");
    }

    private static string Sbert()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "artifacts", "bin", "ServerlessBert.Cli", "release", "sbert.dll");
            if (File.Exists(candidate)) return candidate;
        }
        throw new FileNotFoundException("sbert is not built: run ./setup first.");
    }

    // The kernel keeps the high-water mark; the last reading before the process ends is it, but for a millisecond.
    private static double PeakMegabytes(Process process)
    {
        double peak = 0;
        while (!process.HasExited)
        {
            try
            {
                string? line = File.ReadLines($"/proc/{process.Id}/status")
                    .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
                if (line is not null) peak =
                    double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
            }
            catch (IOException)
            {
                break; // it ended while it was read
            }
            Thread.Sleep(5);
        }
        return peak;
    }
}
