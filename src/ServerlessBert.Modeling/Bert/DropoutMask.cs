using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// The masks of a training's dropouts on the CPU. libtorch draws them one number after another on one thread, which took
/// a third of a training step; here every element's number is a function of seed, call and place, so that all cores draw,
/// and the masks do not depend on how many those are.
/// </summary>
/// <param name="seed">
/// The same seed gives the same sequence of masks; null draws a seed for each mask from torch's global generator, so that
/// <c>torch.manual_seed</c> decides, as it does for torch's own dropout.
/// </param>
internal sealed class DropoutMask(ulong? seed)
{
    // Elements of one stream of numbers: a piece of work for a thread, small enough to stay in its cache.
    private const int Stream = 1 << 14;
    private const int NumbersPerWord = 4; // 16 bits each: a probability is met to 1/65,536

    private ulong calls;

    /// <summary>
    /// A mask of 0 with probability <paramref name="p"/>, else 1 / (1 - p), so that expectations stay (inverted dropout).
    /// </summary>
    /// <param name="shape">Any shape.</param>
    /// <param name="p">From 0 to below 1.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    public Tensor Draw(ReadOnlySpan<long> shape, double p, ScalarType dtype)
    {
        Tensor mask = empty(shape, dtype);
        uint threshold = (uint)Math.Round(p * 65536);
        float scale = 65536f / (65536 - threshold);
        (ulong key, ulong call) = seed is { } own ? (own, calls++) : (Drawn(), 0);
        if (dtype == bfloat16) Fill<ushort>(mask, threshold, (ushort)(BitConverter.SingleToUInt32Bits(scale) + 0x8000 >> 16), key, call);
        else Fill(mask, threshold, scale, key, call);
        return mask;
    }

    private static unsafe void Fill<T>(Tensor mask, uint threshold, T kept, ulong key, ulong call)
        where T : unmanaged
    {
        Span<T> values = MemoryMarshal.Cast<byte, T>(mask.bytes);
        int length = values.Length;
        fixed (T* start = values)
        {
            T* all = start;
            Parallel.For(0, (length + Stream - 1) / Stream, stream =>
            {
                int at = stream * Stream;
                FillStream(new Span<T>(all + at, Math.Min(Stream, length - at)), threshold, kept,
                    Mix(key ^ Mix(call ^ Mix((ulong)stream))));
            });
        }
    }

    private static void FillStream<T>(Span<T> values, uint threshold, T kept, ulong state)
        where T : unmanaged
    {
        for (int at = 0; at < values.Length; at += NumbersPerWord)
        {
            ulong word = Mix(state += 0x9E3779B97F4A7C15);
            Span<T> four = values.Slice(at, Math.Min(NumbersPerWord, values.Length - at));
            for (int i = 0; i < four.Length; i++, word >>= 16)
                four[i] = (ushort)word < threshold ? default : kept;
        }
    }

    private static ulong Drawn()
    {
        using Tensor number = randint(long.MaxValue, [1], dtype: int64);
        return (ulong)number.item<long>();
    }

    /// <summary>SplitMix64's output function (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
