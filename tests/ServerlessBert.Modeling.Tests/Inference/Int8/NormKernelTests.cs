using CsCheck;
using ServerlessBert.Modeling.Inference.Int8;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class NormKernelTests
{
    [Fact]
    public void It_is_libtorchs_LayerNorm_and_its_bytes_are_of_the_row_before_weight_and_bias() =>
        Gen.Select(Gen.Int[2, 200], Gen.Int[0, 10_000], Gen.Float[-3, 3]).Sample((width, seed, offset) =>
        {
            var random = new Random(seed);
            float[] Values(float scale) => [.. Enumerable.Range(0, width).Select(_ => (float)((random.NextDouble() * 2) - 1) * scale)];
            float[] weight = Values(2), bias = Values(1), row = [.. Values(4).Select(value => value + offset)];
            using Tensor input = tensor(row), plain = nn.functional.layer_norm(input, [width], eps: 1e-12),
                expected = nn.functional.layer_norm(input, [width], tensor(weight), tensor(bias), 1e-12);

            int stride = Lanes.RoundUp(width, QuantizedLinear.PanelWidth);
            int[] columns = [.. Enumerable.Range(0, width).Where(column => column % 13 == 2).Take(WideColumns.MaxCount)];
            using var kernel = new NormKernel(weight, bias, stride, 1e-12, columns);
            using var rows = new QuantizedRows(1, stride);
            float[] x = [.. row, .. new float[stride - width]];
            fixed (float* first = x) kernel.Apply(first, rows, 0);

            Assert.All(expected.data<float>().ToArray().Zip(x), pair => Assert.Equal(pair.First, pair.Second, 2e-4f));
            Assert.All(x[width..], value => Assert.Equal(0f, value));
            float[] normalized = plain.data<float>().ToArray();
            for (int i = 0; i < columns.Length; i++) Assert.Equal(normalized[columns[i]], rows.Wide(0)[i], 2e-4f);
            foreach (int i in Enumerable.Range(0, width).Except(columns))
                Assert.Equal(normalized[i], (rows.Scales[0] * rows.Row(0)[i]) - rows.Shifts[0], (1.01f * rows.Scales[0]) + 2e-4f);
        }, threads: 1);
}
