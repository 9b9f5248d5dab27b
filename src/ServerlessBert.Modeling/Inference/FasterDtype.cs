using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Chooses the number type by what this processor does faster, not by its name.</summary>
internal static class FasterDtype
{
    // One feed-forward projection of bert-base on 64 tokens: some 0.3 GFLOP, about a millisecond a run.
    private const int Tokens = 64, Inputs = 768, Outputs = 3072, Runs = 3;

    // bfloat16 costs accuracy in the third digit: take it for a real gain, not for noise.
    private const double WorthwhileGain = 1.2;

    private static readonly Lazy<ScalarType> Measured = new(Measure);

    /// <summary>float32 or bfloat16 for this processor, measured once a process.</summary>
    public static ScalarType OnThisProcessor => Measured.Value;

    /// <summary>The number type that a choice means on a device; every GPU that is rented for this computes bfloat16 faster.</summary>
    public static ScalarType On(this InferenceDtype choice, Device device) => choice switch
    {
        InferenceDtype.Float32 => float32,
        InferenceDtype.BFloat16 => bfloat16,
        _ => device.type == DeviceType.CPU ? OnThisProcessor : bfloat16,
    };

    private static ScalarType Measure() =>
        SecondsOf(float32) > WorthwhileGain * SecondsOf(bfloat16) ? bfloat16 : float32;

    private static double SecondsOf(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Tensor input = ones([Tokens, Inputs], dtype), weight = ones([Outputs, Inputs], dtype);
        nn.functional.linear(input, weight).Dispose(); // the first call picks the kernel
        double best = double.MaxValue;
        for (int run = 0; run < Runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            nn.functional.linear(input, weight).Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }
}
