using CsCheck;
using ServerlessBert.Modeling.Inference.Int8;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class QuantizedRowsTests
{
    private const int Width = 64;

    private static readonly Gen<float[]> Row = Gen.OneOf(
        Gen.Float[-5, 5].Array[Width], Gen.Float[0, 300].Array[Width], Gen.Float[-0.17f, 8].Array[Width],
            Gen.Float[-1e-4f, 1e-5f].Array[Width]);

    [Fact]
    public void A_value_is_at_most_half_a_step_away_from_its_byte() => Row.Sample(values =>
    {
        float[] decoded = Decode(values, out float scale);
        float step = (Math.Max(values.Max(), 0) - Math.Min(values.Min(), 0)) / 255;

        Assert.Equal(step, scale, step * 1e-5f);
        // Where the zero point is rounded up to half a step, the greatest value has no byte of its own.
        Assert.All(values.Zip(decoded), pair => Assert.InRange(pair.Second - pair.First, -1.01f * step, 0.501f * step));
        Assert.All(values.Zip(decoded).Where(pair => pair.First < values.Max() - step),
            pair => Assert.InRange(pair.Second - pair.First, -0.501f * step, 0.501f * step));
    });

    [Fact]
    public void Zero_is_exact() => Row.Sample(values =>
    {
        values[3] = 0;
        Assert.Equal(0f, Decode(values, out _)[3]);
    });

    [Fact]
    public void Wide_columns_stay_floats_and_widen_no_step() => Row.Sample(values =>
    {
        float[] wide = [.. values];
        (wide[5], wide[60]) = (-1000, 2000);
        (values[5], values[60]) = (0, 0);
        using var rows = new QuantizedRows(2, Width);
        Quantize(rows, 0, values);
        fixed (float* first = wide) rows.Quantize(1, first, [5, 60]);

        Assert.Equal(Bytes(rows, 0), Bytes(rows, 1));
        Assert.Equal((-1000f, 2000f), (rows.Wide(1)[0], rows.Wide(1)[1]));
    });

    [Fact]
    public void A_row_of_zeros_stays_one() => Assert.All(Decode(new float[Width], out _), value => Assert.Equal(0f, value));

    [Fact]
    public void A_row_does_not_depend_on_its_neighbours() => Gen.Select(Row, Row).Sample((one, other) =>
    {
        using var rows = new QuantizedRows(2, Width);
        Quantize(rows, 1, one);
        byte[] before = Bytes(rows, 1);
        Quantize(rows, 0, other);
        Assert.Equal(before, Bytes(rows, 1));
    });

    private static float[] Decode(float[] values, out float scale)
    {
        using var rows = new QuantizedRows(1, Width);
        Quantize(rows, 0, values);
        float step = scale = rows.Scales[0], shift = rows.Shifts[0];
        return [.. Bytes(rows, 0).Select(value => (step * value) - shift)];
    }

    private static void Quantize(QuantizedRows rows, int row, float[] values)
    {
        fixed (float* first = values) rows.Quantize(row, first, []);
    }

    private static byte[] Bytes(QuantizedRows rows, int row) => new ReadOnlySpan<byte>(rows.Row(row), Width).ToArray();
}
