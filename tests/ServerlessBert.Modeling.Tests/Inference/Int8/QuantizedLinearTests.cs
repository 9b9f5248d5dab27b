using System.Runtime.Intrinsics;
using CsCheck;
using ServerlessBert.Modeling.Inference.Int8;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class QuantizedLinearTests
{
    [VnniFact]
    public void It_is_the_linear_layer_within_what_bytes_round() =>
        Gen.Select(Gen.Int[1, 150], Gen.Int[1, 200], Gen.Int[1, 20], Gen.Int[0, 10_000]).Sample((inputs, outputs, rows, seed) =>
        {
            var random = new Random(seed);
            float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 0.8))];
            float[] weight = Values(outputs * inputs), bias = Values(outputs), x = Values(rows * inputs);
            float[] actual =
                Multiply(weight, bias, inputs, x, rows, 0,
                [.. Enumerable.Range(0, inputs).Where(column => column % 11 == 3).Take(WideColumns.MaxCount)]);

            for (int row = 0; row < rows; row++)
            {
                float[] input = x[(row * inputs)..((row + 1) * inputs)];
                double step = (Math.Max(0, input.Max()) - Math.Min(0, input.Min())) / 255.0;
                for (int output = 0; output < outputs; output++)
                {
                    float[] line = weight[(output * inputs)..((output + 1) * inputs)];
                    double weightStep = line.Max(Math.Abs) / 127.0;
                    double expected = bias[output] + line.Zip(input, (w, v) => (double)w * v).Sum();
                    // All roundings to one side: of each input, the greatest a whole step, and of each weight.
                    double most = (line.Sum(Math.Abs) * step) + (input.Sum(v => Math.Abs(v) + step) * weightStep / 2) + 1e-4;
                    Assert.Equal(expected, actual[(row * outputs) + output], most);
                }
            }
        }, iter: 50, threads: 1);

    [VnniFact]
    public void A_row_gives_the_same_bits_in_any_block() =>
        Gen.Select(Gen.Int[1, 100], Gen.Int[1, 100], Gen.Int[1, 40], Gen.Int[0, 10_000]).Sample((inputs, outputs, rows, seed) =>
        {
            var random = new Random(seed);
            float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
            float[] weight = Values(outputs * inputs), bias = Values(outputs), x = Values(rows * inputs);
            int alone = random.Next(rows);

            Assert.Equal(Multiply(weight, bias, inputs, x, rows, 0, [])[(alone * outputs)..((alone + 1) * outputs)],
                Multiply(weight, bias, inputs, x[(alone * inputs)..((alone + 1) * inputs)], 1, random.Next(3), []));
        }, iter: 50, threads: 1);

    private static float[] Multiply(float[] weight, float[] bias, int inputs, float[] x, int rows, int firstRow, int[] columns)
    {
        int outputs = bias.Length;
        using var linear = new QuantizedLinear(weight, bias, inputs, columns);
        using var quantized = new QuantizedRows(firstRow + Lanes.RoundUp(rows, QuantizedLinear.RowMultiple), linear.Depth);
        using var tile = new NativeBuffer<int>(Lanes.RoundUp(rows, QuantizedLinear.RowMultiple) * QuantizedLinear.PanelWidth);
        using var values = new NativeBuffer<float>((long)rows * linear.Panels * QuantizedLinear.PanelWidth);
        for (int row = 0; row < rows; row++)
        {
            float[] padded = new float[linear.Depth];
            x.AsSpan(row * inputs, inputs).CopyTo(padded);
            fixed (float* first = padded) quantized.Quantize(firstRow + row, first, columns);
        }
        int stride = linear.Panels * QuantizedLinear.PanelWidth;
        linear.Multiply(quantized, firstRow, rows, 0, linear.Panels, tile.Pointer, new CopySink(values.Pointer, stride));
        float[] result = new float[rows * outputs];
        for (int row = 0; row < rows; row++) values.Span.Slice(row * stride, outputs).CopyTo(result.AsSpan(row * outputs));
        return result;
    }

    private readonly struct CopySink(float* target, int stride) : IProductSink
    {
        public void Take(int row, int column, Vector512<float> values) => values.Store(target + ((long)row * stride) + column);
    }
}
