using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>Takes a product's values where they come out of the multiplication, sixteen at a time.</summary>
internal interface IProductSink
{
    /// <summary>Takes sixteen outputs of a row.</summary>
    /// <param name="row">From the block's first.</param>
    /// <param name="column">From the first panel's first.</param>
    /// <param name="values">weight × input + bias.</param>
    void Take(int row, int column, Vector512<float> values);
}

/// <summary>
/// A linear layer with weights of eight bits, a scale for each output. A product is computed panel by panel of outputs, and
/// each panel's sums go on while they are in the first cache: scaled back, with bias, and whatever the sink makes of them.
/// </summary>
internal sealed unsafe class QuantizedLinear : IDisposable
{
    /// <summary>Outputs of a panel: four vectors of sums.</summary>
    public const int PanelWidth = 64;

    /// <summary>
    /// Rows of a product come in multiples of this, so that there are few kernels: what is beyond the last row is computed in
    /// vain.
    /// </summary>
    public const int RowMultiple = 8;

    private const int Quad = 4; // Inputs that one instruction multiplies and adds.
    private const float Steps = 127, LeastScale = 1e-30f;

    private readonly NativeBuffer<sbyte> weights; // [panels, depth / 4, 64, 4]
    private readonly NativeBuffer<float> scales, sums, biases; // [outputs]
    private readonly NativeBuffer<float> wide; // [panels, wide columns, 64]

    /// <summary>Quantizes and packs a layer's weights.</summary>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="inputs">Inputs that the layer has.</param>
    /// <param name="columns">Those that stay floats.</param>
    public QuantizedLinear(ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, int inputs, int[]? columns = null)
    {
        Columns = columns ?? [];
        int outputs = bias.Length;
        Depth = Lanes.RoundUp(inputs, PanelWidth);
        Panels = Lanes.RoundUp(outputs, PanelWidth) / PanelWidth;
        weights = new NativeBuffer<sbyte>((long)Panels * PanelWidth * Depth);
        scales = new NativeBuffer<float>(Panels * PanelWidth);
        sums = new NativeBuffer<float>(Panels * PanelWidth);
        biases = new NativeBuffer<float>(Panels * PanelWidth);
        wide = new NativeBuffer<float>(Panels * PanelWidth * Columns.Length);
        float[] row = new float[inputs];
        for (int output = 0; output < outputs; output++)
        {
            weight.Slice(output * inputs, inputs).CopyTo(row);
            for (int i = 0; i < Columns.Length; i++)
            {
                wide.Pointer[(output / PanelWidth * Columns.Length + i) * PanelWidth + output % PanelWidth] = row[Columns[i]];
                row[Columns[i]] = 0;
            }
            Pack(output, row);
        }
        bias.CopyTo(biases.Span);
    }

    /// <summary>Inputs, filled up with zeros to a multiple of <see cref="PanelWidth"/>.</summary>
    public int Depth { get; }

    /// <summary>Inputs that stay floats; their bytes are to be 0's.</summary>
    public int[] Columns { get; }

    /// <summary>How many panels the outputs fill.</summary>
    public int Panels { get; }

    /// <summary>Multiplies a block of rows.</summary>
    /// <param name="inputs">The rows, of stride <see cref="Depth"/>.</param>
    /// <param name="firstRow">The block's first.</param>
    /// <param name="rows">The block's rows.</param>
    /// <param name="firstPanel">The first panel of outputs that is wanted.</param>
    /// <param name="panels">How many are.</param>
    /// <param name="tile">Room for the block's sums of a panel, [rows rounded up, <see cref="PanelWidth"/>].</param>
    /// <param name="sink">Where the values go.</param>
    public void Multiply<TSink>(QuantizedRows inputs, int firstRow, int rows, int firstPanel, int panels, int* tile, TSink sink)
        where TSink : struct, IProductSink
    {
        int computed = Lanes.RoundUp(rows, RowMultiple);
        byte* left = inputs.Row(firstRow);
        for (int panel = 0; panel < panels; panel++)
        {
            Brgemm.Multiply(
                computed, PanelWidth, Depth, left, inputs.Stride, weights.Pointer + (long)(firstPanel + panel) * PanelWidth * Depth, tile);
            ScaleBack(tile, rows, (firstPanel + panel) * PanelWidth, panel * PanelWidth, inputs, firstRow, ref sink);
        }
    }

    // scale × weightScale × (sum of bytes × weight − zero × sum of weights) + bias, and the wide columns' products
    private void ScaleBack<TSink>(int* tile, int rows, int output, int column, QuantizedRows inputs, int firstRow, ref TSink sink)
        where TSink : struct, IProductSink
    {
        float* scale = scales.Pointer + output, sum = sums.Pointer + output, bias = biases.Pointer + output;
        float* inputScales = inputs.Scales + firstRow, inputShifts = inputs.Shifts + firstRow, wideInputs = inputs.Wide(firstRow);
        float* wideWeights = wide.Pointer + (long)output * Columns.Length;
        int wideCount = Columns.Length;
        Vector512<float> scale0 = Vector512.Load(scale), scale1 = Vector512.Load(scale + 16), scale2 = Vector512.Load(scale + 32),
            scale3 = Vector512.Load(scale + 48);
        Vector512<float> sum0 = Vector512.Load(sum), sum1 = Vector512.Load(sum + 16), sum2 = Vector512.Load(sum + 32),
            sum3 = Vector512.Load(sum + 48);
        Vector512<float> bias0 = Vector512.Load(bias), bias1 = Vector512.Load(bias + 16), bias2 = Vector512.Load(bias + 32),
            bias3 = Vector512.Load(bias + 48);
        for (int row = 0; row < rows; row++, tile += PanelWidth, wideInputs += WideColumns.MaxCount)
        {
            Vector512<float> inputScale = Vector512.Create(inputScales[row]), shift = Vector512.Create(-inputShifts[row]);
            Vector512<float> value0 = Value(tile, inputScale, shift, scale0, sum0, bias0),
                value1 = Value(tile + 16, inputScale, shift, scale1, sum1, bias1);
            Vector512<float> value2 = Value(tile + 32, inputScale, shift, scale2, sum2, bias2),
                value3 = Value(tile + 48, inputScale, shift, scale3, sum3, bias3);
            float* weight = wideWeights;
            for (int i = 0; i < wideCount; i++, weight += PanelWidth)
            {
                Vector512<float> input = Vector512.Create(wideInputs[i]);
                value0 = Vector512.FusedMultiplyAdd(input, Vector512.Load(weight), value0);
                value1 = Vector512.FusedMultiplyAdd(input, Vector512.Load(weight + 16), value1);
                value2 = Vector512.FusedMultiplyAdd(input, Vector512.Load(weight + 32), value2);
                value3 = Vector512.FusedMultiplyAdd(input, Vector512.Load(weight + 48), value3);
            }
            sink.Take(row, column, value0);
            sink.Take(row, column + 16, value1);
            sink.Take(row, column + 32, value2);
            sink.Take(row, column + 48, value3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Value(
        int* tile, Vector512<float> inputScale, Vector512<float> shift, Vector512<float> scale, Vector512<float> sum,
        Vector512<float> bias) =>
        Vector512.FusedMultiplyAdd(
            Vector512.ConvertToSingle(Vector512.Load(tile)) * inputScale, scale, Vector512.FusedMultiplyAdd(shift, sum, bias));

    private void Pack(int output, ReadOnlySpan<float> row)
    {
        float greatest = LeastScale;
        foreach (float value in row) greatest = Math.Max(greatest, Math.Abs(value));
        float scale = greatest / Steps;
        sbyte* target = weights.Pointer + (long)(output / PanelWidth) * PanelWidth * Depth + output % PanelWidth * Quad;
        int sum = 0;
        for (int input = 0; input < row.Length; input++)
        {
            sbyte step = (sbyte)MathF.Round(row[input] / scale);
            target[(input / Quad * PanelWidth * Quad) + (input % Quad)] = step;
            sum += step;
        }
        scales.Pointer[output] = scale;
        sums.Pointer[output] = scale * sum;
    }

    public void Dispose()
    {
        weights.Dispose();
        scales.Dispose();
        sums.Dispose();
        biases.Dispose();
        wide.Dispose();
    }
}
