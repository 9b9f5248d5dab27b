using System.Runtime.Intrinsics;
using CsCheck;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed unsafe class LanesTests
{
    private static readonly Gen<Vector512<float>> Sixteen = Gen.Float[-1e6f, 1e6f].Array[16].Select(values => Vector512.Create(values));

    [Fact]
    public void Powers_of_two_are_right_in_five_digits_and_zero_far_below() =>
        Gen.Float[-140, 0].Array[16].Sample(exponents =>
        {
            Vector512<float> powers = Lanes.Exp2(Vector512.Create(exponents));
            for (int lane = 0; lane < 16; lane++)
            {
                double expected = Math.Pow(2, exponents[lane]);
                Assert.InRange(powers[lane], (expected * (1 - 4e-6)) - 1e-37, (expected * (1 + 4e-6)) + 1e-37);
            }
        });

    [Fact]
    public void Minus_infinity_has_the_power_zero() =>
        Assert.Equal(Vector512<float>.Zero, Lanes.Exp2(Vector512.Create(float.NegativeInfinity)));

    [Fact]
    public void Halves_round_to_even() =>
        Assert.Equal([-2, -2, 0, 0, 2, 2, 4, 4],
            ToArray(Lanes.Round(Vector512.Create(-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 0, 0, 0, 0, 0, 0, 0, 0)))[..8]);

    [Fact]
    public void Bfloat16_is_rounded_as_libtorch_rounds_it_and_read_back_as_it_is() => Sixteen.Sample(values =>
    {
        float[] plain = new float[16];
        values.CopyTo(plain);
        using Tensor source = tensor(plain), half = source.to(bfloat16), back = half.to(float32);
        ushort* stored = stackalloc ushort[16];
        Lanes.StoreUpperHalves(Lanes.RoundToBFloat16(values).AsUInt32(), stored);
        float[] read = new float[16];
        Lanes.LoadBFloat16(stored).CopyTo(read);

        Assert.Equal(back.data<float>().ToArray(), read);
    }, threads: 1);

    [Fact]
    public void Integers_of_a_byte_stay_and_greater_ones_are_255()
    {
        byte* stored = stackalloc byte[16];
        Lanes.StoreBytes(Vector512.Create(0, 1, 127, 128, 254, 255, 256, 1000, 0, 0, 0, 0, 0, 0, 0, 7), stored);

        Assert.Equal([0, 1, 127, 128, 254, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 7], new ReadOnlySpan<byte>(stored, 16).ToArray());
    }

    [Fact]
    public void Least_and_greatest_are_those_of_all_lanes() => Sixteen.Sample(values =>
    {
        float[] plain = new float[16];
        values.CopyTo(plain);
        Assert.Equal((plain.Min(), plain.Max()), (Lanes.Least(values), Lanes.Greatest(values)));
    });

    private static int[] ToArray(Vector512<int> values) => [.. Enumerable.Range(0, 16).Select(lane => values[lane])];
}
