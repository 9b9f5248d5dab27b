using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Optimizers;

/// <summary>
/// AdamW's update in one pass over a CPU's memory. As tensor operations it takes eight passes, each through main memory once
/// the buffers are larger than the caches, and memory is what an update waits for.
/// </summary>
internal static class AdamWKernel
{
    // Elements of a thread's piece of work: 1 MiB from each of four buffers, so that handing it out costs nothing.
    private const long Piece = 1 << 18;

    /// <summary>What all elements of a step share.</summary>
    public readonly struct StepFactors(AdamWSettings settings, int step, double learningRate, double weightDecay)
    {
        /// <summary>AdamW's constants.</summary>
        public AdamWSettings Settings { get; } = settings;

        /// <summary>What decay leaves of a weight.</summary>
        public double Kept { get; } = 1 - learningRate * weightDecay;

        /// <summary>The learning rate over the first moment's bias correction.</summary>
        public double Size { get; } = learningRate / (1 - Math.Pow(settings.Beta1, step));

        /// <summary>1 / √(the second moment's bias correction).</summary>
        public double DenominatorFactor { get; } = 1 / Math.Sqrt(1 - Math.Pow(settings.Beta2, step));
    }

    /// <summary>Updates values and moments in place; all four are contiguous float32 of one length, a multiple of 1,024.</summary>
    public static void Update(Tensor values, Tensor gradients, Tensor firstMoments, Tensor secondMoments, StepFactors step)
    {
        long length = values.numel();
        var cores = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, (length + Piece - 1) / Piece, cores, piece =>
        {
            long start = piece * Piece, count = Math.Min(Piece, length - start);
            using Tensor v = values.narrow(0, start, count), g = gradients.narrow(0, start, count);
            using Tensor m = firstMoments.narrow(0, start, count), s = secondMoments.narrow(0, start, count);
            UpdatePiece(VectorsOf(v), VectorsOf(g), VectorsOf(m), VectorsOf(s), step);
        });
    }

    private static Span<Vector<float>> VectorsOf(Tensor tensor) => MemoryMarshal.Cast<byte, Vector<float>>(tensor.bytes);

    private static void UpdatePiece(
        Span<Vector<float>> v, Span<Vector<float>> g, Span<Vector<float>> m, Span<Vector<float>> s, in StepFactors step)
    {
        float beta1 = (float)step.Settings.Beta1, rest1 = (float)(1 - step.Settings.Beta1);
        float beta2 = (float)step.Settings.Beta2, rest2 = (float)(1 - step.Settings.Beta2);
        float kept = (float)step.Kept, size = (float)-step.Size, factor = (float)step.DenominatorFactor,
            epsilon = (float)step.Settings.Epsilon;

        var allEpsilon = new Vector<float>(epsilon);
        for (int i = 0; i < v.Length; i++)
        {
            Vector<float> first = m[i] * beta1 + g[i] * rest1;
            Vector<float> second = s[i] * beta2 + g[i] * g[i] * rest2;
            m[i] = first;
            s[i] = second;
            v[i] = v[i] * kept + first * size / (Vector.SquareRoot(second) * factor + allEpsilon);
        }
    }
}
