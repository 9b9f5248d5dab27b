using System.Diagnostics;
using ServerlessBert.Modeling.Inference.Packed;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference;

/// <summary>Chooses the number type by what this processor does faster, not by its name.</summary>
internal static class DtypeSelection
{
    // One feed-forward projection of bert-base on 128 tokens: some 0.6 GFLOP, a millisecond or two a run.
    private const int Tokens = 128, Inputs = 768, Outputs = 3072, Runs = 5;

    // bfloat16 costs accuracy in the third digit, int8 in the second: taken for a real gain, not for noise. A whole layer
    // gains more by int8 than this projection does: its GELU and its wide inputs stay outside of the measurement.
    private const double WorthwhileGain = 1.2, WorthwhileGainOfInt8 = 1.05;

    private static readonly Lazy<double> Float32Seconds = new(() => SecondsOf(float32)), BFloat16Seconds = new(() => SecondsOf(bfloat16)),
        Int8Seconds = new(SecondsOfInt8);

    /// <summary>
    /// The number type that a choice means for products on a device; every GPU that is rented for this computes bfloat16 faster.
    /// </summary>
    public static ScalarType On(this InferenceDtype choice, Device device) => choice switch
    {
        InferenceDtype.Float32 => float32,
        InferenceDtype.BFloat16 => bfloat16,
        _ => device.type != DeviceType.CPU || FasterFloat == InferenceDtype.BFloat16 ? bfloat16 : float32,
    };

    /// <summary>What a choice means for the plain module tree on this processor.</summary>
    /// <exception cref="NotSupportedException">int8, which only the packed layers have.</exception>
    public static InferenceDtype Plain(InferenceDtype choice) => choice switch
    {
        InferenceDtype.Auto => FasterFloat,
        InferenceDtype.Int8 =>
            throw new NotSupportedException(
            "int8 needs oneDNN's operations, which this platform's libtorch lacks; choose float32 or bfloat16."),
        _ => choice,
    };

    /// <summary>What a choice means for the packed layers on this processor.</summary>
    /// <exception cref="NotSupportedException">int8 where libtorch lacks its operations.</exception>
    public static InferenceDtype Packed(InferenceDtype choice) => choice switch
    {
        InferenceDtype.Auto => Int8IsFaster ? InferenceDtype.Int8 : FasterFloat,
        InferenceDtype.Int8 when Int8Layers.IsMissing => Plain(choice),
        _ => choice,
    };

    /// <summary>The number type of what the layers in eight bits do not sum up.</summary>
    public static ScalarType InsideInt8Layers => InferenceDtype.Auto.On(CPU);

    private static InferenceDtype FasterFloat =>
        Float32Seconds.Value > WorthwhileGain * BFloat16Seconds.Value ? InferenceDtype.BFloat16 : InferenceDtype.Float32;

    private static bool Int8IsFaster => !Int8Layers.IsMissing
        && (FasterFloat == InferenceDtype.BFloat16 ? BFloat16Seconds : Float32Seconds).Value > WorthwhileGainOfInt8 * Int8Seconds.Value;

    private static double SecondsOf(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Tensor input = ones([Tokens, Inputs], dtype), weight = ones([Outputs, Inputs], dtype);
        return Best(() => nn.functional.linear(input, weight));
    }

    private static double SecondsOfInt8()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        TorchScriptOps operations = Int8Layers.ProductAlone;
        Tensor input = ones([Tokens, Inputs]), weight = operations.Call("pack", ones([Outputs, Inputs], int8)), scales = ones([Outputs]),
            zero = zeros([1], int32), bias = zeros([Outputs]);
        using Scalar dtype = (long)ScalarType.Float32;
        return Best(() => operations.Call("linear", input, weight, scales, bias, zero, dtype));
    }

    private static double Best(Func<Tensor> run)
    {
        run().Dispose(); // the first call picks the kernel
        double best = double.MaxValue;
        for (int i = 0; i < Runs; i++)
        {
            long start = Stopwatch.GetTimestamp();
            run().Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }
}
