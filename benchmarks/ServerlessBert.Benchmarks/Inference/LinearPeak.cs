using System.Diagnostics;
using ServerlessBert.Modeling.Inference.Packed;
using static TorchSharp.torch;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>
/// What the machine reaches in one plain operation: a <c>linear</c>, at the best of some sizes of bert-base's feed-forward layer.
/// </summary>
internal static class LinearPeak
{
    private const int Inputs = 768, Outputs = 3072, Runs = 7;

    private static readonly int[] Tokens = [1024, 2048, 4096];

    /// <summary>The best GF/s of any run of torch's own: MKL's in float32, oneDNN's in bfloat16.</summary>
    public static double Measure(ScalarType dtype) =>
        Tokens.Max(tokens => Best(tokens, dtype, (input, weight) => nn.functional.linear(input, weight)));

    /// <summary>The best GF/s of any run of oneDNN's float32, with weights in its own layout.</summary>
    public static double MeasurePackedFloat32()
    {
        TorchScriptOps operations = TorchScriptOps.Of("""
              def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
                return ops.mkldnn._reorder_linear_weight(weight)
              def linear(self: __torch__.Ops, x: Tensor, w: Tensor) -> Tensor:
                return ops.mkldnn._linear_pointwise(x, w, None, "none", annotate(List[Optional[number]], []), "none")

            """);
        using Tensor weight = randn(Outputs, Inputs), packed = operations.Call("pack", weight);
        return Tokens.Max(tokens => Best(tokens, float32, (input, _) => operations.Call("linear", input, packed)));
    }

    private static double Best(int tokens, ScalarType dtype, Func<Tensor, Tensor, Tensor> linear)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Tensor input = randn(tokens, Inputs).to(dtype), weight = randn(Outputs, Inputs).to(dtype);
        double best = double.MaxValue;
        for (int run = 0; run < Runs + 2; run++)
        {
            long start = Stopwatch.GetTimestamp();
            linear(input, weight).Dispose();
            // the first two choose kernels and touch memory
            if (run >= 2) best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return 2.0 * tokens * Inputs * Outputs / best / 1e9;
    }
}
