using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>What the machine reaches in one plain operation: torch's own <c>linear</c>, at the best of some sizes of bert-base's feed-forward layer.</summary>
internal static class LinearPeak
{
    private const int Inputs = 768, Outputs = 3072, Runs = 7;

    /// <summary>The best GF/s of any run.</summary>
    public static double Measure(ScalarType dtype) => new[] { 1024, 2048, 4096 }.Max(tokens => Best(tokens, dtype));

    private static double Best(int tokens, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Tensor input = randn(tokens, Inputs).to(dtype), weight = randn(Outputs, Inputs).to(dtype);
        double best = double.MaxValue;
        for (int run = 0; run < Runs + 2; run++)
        {
            long start = Stopwatch.GetTimestamp();
            nn.functional.linear(input, weight).Dispose();
            if (run >= 2) best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds); // the first two choose kernels and touch memory
        }
        return 2.0 * tokens * Inputs * Outputs / best / 1e9;
    }
}
