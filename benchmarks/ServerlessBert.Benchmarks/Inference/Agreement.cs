using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>Log-probabilities of the same reviews by every side, as the largest distance from those of ServerlessBert in float32.</summary>
internal sealed record Agreement(double BFloat16, double Int8, double OnnxFloat32, double OnnxInt8, double Plain)
{
    /// <summary>float32 sums in another order.</summary>
    private const double Float32Tolerance = 2e-3;

    /// <summary>Eight bits a weight and an input, or a significand of eight: the second digit of a logit.</summary>
    private const double RoughTolerance = 0.5;

    public Agreement(
        EncodedText[] texts, int[][] rows, ReviewClassifier float32, ReviewClassifier bfloat16, ReviewClassifier int8,
        Func<int[][], float[][]> onnxFloat32, Func<int[][], float[][]> onnxInt8, Func<int[][], float[][]> plain)
        : this(0, 0, 0, 0, 0)
    {
        double[][] expected = Logs(float32.Classify(texts));
        BFloat16 = Distance(expected, Logs(bfloat16.Classify(texts)));
        Int8 = Distance(expected, Logs(int8.Classify(texts)));
        OnnxFloat32 = Distance(expected, Logs(onnxFloat32(rows)));
        OnnxInt8 = Distance(expected, Logs(onnxInt8(rows)));
        Plain = Distance(expected, Logs(plain(rows)));
    }

    /// <summary>Ends the measurement where a side computes something else.</summary>
    public void Require()
    {
        if (Math.Max(OnnxFloat32, Plain) > Float32Tolerance || Math.Max(BFloat16, Math.Max(Int8, OnnxInt8)) > RoughTolerance)
            throw new InvalidOperationException($"The sides do not compute the same, so there is nothing to compare: {this}.");
    }

    private static double[][] Logs(IEnumerable<Classification> classifications) =>
        [.. classifications.Select(one => one.Probabilities.Select(probability => Math.Log(probability)).ToArray())];

    private static double[][] Logs(IEnumerable<float[]> logits) => [.. logits.Select(row =>
    {
        double sum = Math.Log(row.Sum(logit => Math.Exp(logit)));
        return row.Select(logit => logit - sum).ToArray();
    })];

    private static double Distance(double[][] left, double[][] right) =>
        left.Zip(right).SelectMany(pair => pair.First.Zip(pair.Second)).Max(pair => Math.Abs(pair.First - pair.Second));
}
