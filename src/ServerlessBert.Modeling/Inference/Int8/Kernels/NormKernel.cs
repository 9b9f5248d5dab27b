using System.Runtime.Intrinsics;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>
/// LayerNorm of a row in place, and the bytes of what the next linear reads. These are of the row before the norm's own
/// weight and bias, which are in that linear's weights (gamma migration: Wei et al. 2022, arXiv:2209.13325): a norm's
/// weight is what makes some few columns large, and with them the steps of all others.
/// </summary>
internal sealed unsafe class NormKernel : IDisposable
{
    private readonly int width;
    private readonly int[] columns;
    private readonly float epsilon;
    private readonly NativeBuffer<float> weight, bias; // [stride]

    /// <param name="weight">[hidden].</param>
    /// <param name="bias">[hidden].</param>
    /// <param name="stride">What a row is filled up to with zeros.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="columns">Those that stay floats for the linear.</param>
    public NormKernel(ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, int stride, double epsilon, int[]? columns = null)
    {
        this.columns = columns ?? [];
        width = weight.Length;
        this.epsilon = (float)epsilon;
        this.weight = new NativeBuffer<float>(stride);
        this.bias = new NativeBuffer<float>(stride);
        weight.CopyTo(this.weight.Span);
        bias.CopyTo(this.bias.Span);
    }

    /// <summary>Normalizes a row.</summary>
    /// <param name="x">The row, with zeros behind its values.</param>
    /// <param name="rows">Where its bytes go.</param>
    /// <param name="row">Which of them they are.</param>
    public void Apply(float* x, QuantizedRows rows, int row)
    {
        int stride = rows.Stride;
        Vector512<float> total = Vector512<float>.Zero;
        for (int i = 0; i < stride; i += Lanes.Count) total += Vector512.Load(x + i);
        float mean = Vector512.Sum(total) / width;
        Vector512<float> allMean = Vector512.Create(mean), squares = Vector512<float>.Zero;
        for (int i = 0; i < stride; i += Lanes.Count)
        {
            Vector512<float> distance = Vector512.Load(x + i) - allMean;
            squares = Vector512.FusedMultiplyAdd(distance, distance, squares);
        }
        float variance = (Vector512.Sum(squares) - (stride - width) * mean * mean) / width;
        float perDeviation = 1 / MathF.Sqrt(variance + epsilon);

        float* wide = rows.Wide(row), weights = weight.Pointer, biases = bias.Pointer;
        for (int i = 0; i < columns.Length; i++)
        {
            wide[i] = (x[columns[i]] - mean) * perDeviation;
            x[columns[i]] = mean; // whose byte is 0's
        }
        Vector512<float> least = allMean, greatest = allMean;
        for (int i = 0; i < stride; i += Lanes.Count)
        {
            Vector512<float> value = Vector512.Load(x + i);
            least = Vector512.MinNative(least, value);
            greatest = Vector512.MaxNative(greatest, value);
        }
        Vector512<float> allPerDeviation = Vector512.Create(perDeviation);
        QuantizedRows.Steppings steppings =
            rows.Choose(row, (Lanes.Least(least) - mean) * perDeviation, (Lanes.Greatest(greatest) - mean) * perDeviation);
        byte* bytes = rows.Row(row);
        for (int i = 0; i < stride; i += Lanes.Count)
        {
            Vector512<float> normalized = (Vector512.Load(x + i) - allMean) * allPerDeviation;
            steppings.Store(normalized, bytes + i);
            Vector512.FusedMultiplyAdd(normalized, Vector512.Load(weights + i), Vector512.Load(biases + i)).Store(x + i);
        }
        for (int i = 0; i < columns.Length; i++) x[columns[i]] = MathF.FusedMultiplyAdd(wide[i], weights[columns[i]], biases[columns[i]]);
    }

    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
    }
}
