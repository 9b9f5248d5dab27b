using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// Rows of bytes, each with a scale and a zero point of its own: value = scale × (byte − zero). Of its own, so that a
/// review's result does not depend on its neighbours; a zero point, since what LayerNorm and GELU give lies unevenly
/// around 0, and symmetric bytes would leave steps unused. The few columns that a linear names as wide stay floats
/// (<see cref="WideColumns"/>).
/// </summary>
internal sealed unsafe class QuantizedRows : IDisposable
{
    private const float Steps = 255;

    // A row of zeros has no range; any scale serves it.
    private const float LeastRange = 1e-30f;

    private readonly NativeBuffer<byte> bytes;
    private readonly NativeBuffer<float> scales, shifts, wide;

    /// <param name="rows">How many, with what a last block is rounded up to.</param>
    /// <param name="stride">From a row to its next: a multiple of <see cref="QuantizedLinear.PanelWidth"/>.</param>
    public QuantizedRows(int rows, int stride)
    {
        Stride = stride;
        bytes = new NativeBuffer<byte>((long)rows * stride);
        scales = new NativeBuffer<float>(rows);
        shifts = new NativeBuffer<float>(rows);
        wide = new NativeBuffer<float>((long)rows * WideColumns.MaxCount);
    }

    /// <summary>From a row to its next.</summary>
    public int Stride { get; }

    /// <summary>scale of each row, [rows].</summary>
    public float* Scales => scales.Pointer;

    /// <summary>scale × zero of each row, [rows].</summary>
    public float* Shifts => shifts.Pointer;

    /// <summary>A row's bytes.</summary>
    public byte* Row(int row) => bytes.Pointer + (long)row * Stride;

    /// <summary>A row's values in the wide columns, [<see cref="WideColumns.MaxCount"/>].</summary>
    public float* Wide(int row) => wide.Pointer + (long)row * WideColumns.MaxCount;

    /// <summary>Quantizes a row.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values"><see cref="Stride"/> floats; they become 0 in wide columns.</param>
    /// <param name="columns">The wide columns.</param>
    public void Quantize(int row, float* values, ReadOnlySpan<int> columns)
    {
        float* exact = Wide(row);
        for (int i = 0; i < columns.Length; i++)
        {
            exact[i] = values[columns[i]];
            values[columns[i]] = 0;
        }
        Vector512<float> least = Vector512<float>.Zero, greatest = Vector512<float>.Zero;
        for (int i = 0; i < Stride; i += Lanes.Count)
        {
            Vector512<float> value = Vector512.Load(values + i);
            least = Vector512.MinNative(least, value);
            greatest = Vector512.MaxNative(greatest, value);
        }
        Steppings steppings = Choose(row, Lanes.Least(least), Lanes.Greatest(greatest));
        byte* target = Row(row);
        for (int i = 0; i < Stride; i += Lanes.Count)
            steppings.Store(Vector512.Load(values + i), target + i);
    }

    /// <summary>Chooses a row's scale and zero point by its least and greatest value.</summary>
    public Steppings Choose(int row, float least, float greatest)
    {
        float range = Math.Max(greatest - least, LeastRange);
        float scale = range / Steps, perStep = Steps / range;
        float zero = MathF.Round(-least * perStep);
        Scales[row] = scale;
        Shifts[row] = scale * zero;
        return new Steppings(Vector512.Create(perStep), Vector512.Create((int)zero));
    }

    /// <summary>Copies a row of another of the same stride.</summary>
    public void Copy(int row, QuantizedRows source, int sourceRow)
    {
        Buffer.MemoryCopy(source.Row(sourceRow), Row(row), Stride, Stride);
        Scales[row] = source.Scales[sourceRow];
        Shifts[row] = source.Shifts[sourceRow];
        new ReadOnlySpan<float>(source.Wide(sourceRow), WideColumns.MaxCount).CopyTo(new Span<float>(Wide(row), WideColumns.MaxCount));
    }

    public void Dispose()
    {
        bytes.Dispose();
        scales.Dispose();
        shifts.Dispose();
        wide.Dispose();
    }

    /// <summary>Turns a row's values into its bytes.</summary>
    /// <param name="PerStep">1 / scale.</param>
    /// <param name="Zero">The byte of 0.</param>
    public readonly record struct Steppings(Vector512<float> PerStep, Vector512<int> Zero)
    {
        /// <summary>Stores sixteen values as bytes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(Vector512<float> values, byte* target) => Lanes.StoreBytes(Lanes.Round(values * PerStep) + Zero, target);
    }
}
