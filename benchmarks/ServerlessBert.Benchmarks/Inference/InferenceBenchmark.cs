using System.CommandLine;
using ServerlessBert.Benchmarks.Results;
using ServerlessBert.Modeling.Inference;
using TorchSharp;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary><c>inference</c>: ServerlessBert against everyone else, on the same weights and reviews, in one process.</summary>
internal static class InferenceBenchmark
{
    public static Command Command()
    {
        var batches = new Option<int>(
            "--batches")
        { Description = "How many batches of the sorted reviews are measured.", DefaultValueFactory = _ => 8 };
        var batch = new Option<int>("--batch-size") { Description = "Reviews of a padded batch.", DefaultValueFactory = _ => 16 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median counts.", DefaultValueFactory = _ => 3 };
        var shape = new Option<string>(
            "--shape")
        { Description = "base (12 layers of 768) or 6x384 (12 heads, 1,536 inside).", DefaultValueFactory = _ => "base" };
        shape.AcceptOnlyFromAmong("base", "6x384");
        Option<DirectoryInfo?> results = ResultsOption.Create();
        var command = new Command(
            "inference", "Reviews a second, against ONNX Runtime and plain TorchSharp.") { batches, batch, rounds, shape, results };
        command.SetAction(parsed => NativeThread.Run(() => // all of it: a second thread's team of workers would slow the first's
        {
            using var sides =
                new InferenceSides(
                parsed.GetValue(batches), parsed.GetValue(batch), Environment.ProcessorCount, config =>
                parsed.GetValue(shape) == "base" ? config
                : config with { NumHiddenLayers = 6, HiddenSize = 384, NumAttentionHeads = 12, IntermediateSize = 1536 });
            Console.Error.WriteLine($"largest distance of log-probabilities from ServerlessBert float32's: {sides.Agreement}");
            sides.Agreement.Require();
            // Compiles, chooses kernels, allocates; what runs on one thread, or pads to 512, has only its first round for it.
            Side.Measure([.. sides.All.Where(
                side => side.Name != InferenceSides.Tutorial
                && !side.Name.EndsWith(InferenceSides.OnOneThread, StringComparison.Ordinal))], 1);
            double before = LinearPeak.Measure(torch.bfloat16);
            Side.Measure(sides.All, parsed.GetValue(rounds)); // the last of them on all threads
            Report(sides, Math.Max(before, LinearPeak.Measure(torch.bfloat16))).Show(parsed.GetValue(results));
        }));
        return command;
    }

    private static BenchmarkResult Report(InferenceSides sides, double peak)
    {
        Dictionary<string, Side> by = sides.All.ToDictionary(side => side.Name);
        Side ours = by[sides.Fastest], bfloat16 = by[InferenceSides.BFloat16];
        double Gigaflops(Side side) => ModelWork.Flops(sides.Config, side.Texts) / side.Seconds / 1e9;
        double Ratio(string left, string right) => by[left].ReviewsPerSecond / by[right].ReviewsPerSecond;
        var figures = new Dictionary<string, double>
        {
            ["best bfloat16 linear, GF/s"] = peak,
            ["oneDNN's float32 linear over MKL's"] = LinearPeak.MeasurePackedFloat32() / LinearPeak.Measure(torch.float32),
            ["useful GF/s over the best bfloat16 linear"] = Gigaflops(ours) / peak,
            ["useful GF/s over the best bfloat16 linear, in bfloat16"] = Gigaflops(bfloat16) / peak,
            ["over ONNX Runtime int8 dynamic"] = Ratio(sides.Fastest, InferenceSides.OnnxInt8),
            ["over ONNX Runtime float32"] = Ratio(sides.Fastest, InferenceSides.OnnxFloat32),
            ["over the tutorial's way"] = Ratio(sides.Fastest, InferenceSides.Tutorial),
            ["float32 over plain TorchSharp float32"] = Ratio(InferenceSides.Float32, InferenceSides.Plain),
            ["two threads over one"] = Ratio(sides.Fastest, sides.Fastest + InferenceSides.OnOneThread),
            ["two threads over one, in bfloat16"] = Ratio(InferenceSides.BFloat16, InferenceSides.BFloat16 + InferenceSides.OnOneThread),
            ["tokens a review"] = (double)ours.Tokens / ours.Texts.Count,
            ["padding of the padded sides"] = sides.PaddingShare,
        };
        foreach (Side side in sides.All) figures[$"{side.Name}, reviews/s"] = side.ReviewsPerSecond;
        var table = new ResultTable(["who", "reviews/s", "tokens/s", "useful GF/s", $"{sides.Fastest} is faster by"],
            [.. sides.All.Select(
                side => (IReadOnlyList<string>)[
                side.Name, ResultTable.Number(side.ReviewsPerSecond), ResultTable.Number(side.TokensPerSecond),
                ResultTable.Number(Gigaflops(side)), ResultTable.Number(ours.ReviewsPerSecond / side.ReviewsPerSecond)])]);
        var facts = new ResultTable(
            ["figure", "value"], [.. figures.Select(figure => (IReadOnlyList<string>)[figure.Key, ResultTable.Number(figure.Value)])]);
        return BenchmarkResult.Of(
            sides.Config.HiddenSize == 384 ? "inference-6x384"
            : "inference", figures, table,
            facts) with
        { Labels = new Dictionary<string, string> { ["fastest"] = sides.Fastest.Split(' ')[^1] } };
    }
}
