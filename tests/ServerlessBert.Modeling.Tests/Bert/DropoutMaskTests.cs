using CsCheck;
using ServerlessBert.Modeling.Bert;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

public class DropoutMaskTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_share_of_p_is_dropped_and_the_mean_stays_one(ScalarType dtype)
    {
        using Tensor mask = new DropoutMask(1).Draw([1000, 1000], 0.1, dtype);
        using Tensor values = mask.to(float32), dropped = values.eq(0).sum(), mean = values.mean();

        Assert.InRange(dropped.ToInt64(), 98_500, 101_500); // five standard deviations
        Assert.Equal(1, mean.ToSingle(), 5e-3);
    }

    [Fact]
    public void The_same_seed_gives_the_same_masks_in_order_and_no_two_are_alike()
    {
        DropoutMask first = new(1), second = new(1), other = new(2);
        float[] a = Values(first), b = Values(first);

        Assert.Equal(a, Values(second));
        Assert.Equal(b, Values(second));
        Assert.NotEqual(a, b);
        Assert.NotEqual(a, Values(other));
    }

    [Fact]
    public void Neighbours_rows_and_streams_do_not_repeat_each_other()
    {
        using Tensor mask = new DropoutMask(3).Draw([64, 16384], 0.5, float32);
        using Tensor bits = mask.gt(0).to(float32) * 2 - 1; // ±1, [streams, elements]
        using Tensor transposed = bits.t(), correlations = bits.matmul(transposed) / 16384, off = correlations - eye(64);
        using Tensor shifted = (bits.narrow(1, 0, 16383) * bits.narrow(1, 1, 16383)).mean(), largest = off.abs().max();

        Assert.InRange(largest.ToSingle(), 0, 0.05);
        Assert.InRange(shifted.ToSingle(), -0.01, 0.01);
    }

    [Fact]
    public void Any_length_is_filled_to_its_end() => Gen.Int[1, 40_000].Sample(length =>
    {
        using Tensor mask = new DropoutMask(5).Draw([length], 0.0, float32);
        using Tensor sum = mask.sum();
        return sum.ToSingle() == length;
    }, iter: 50, threads: 1);

    private static float[] Values(DropoutMask mask)
    {
        using Tensor drawn = mask.Draw([50_000], 0.3, float32);
        return drawn.data<float>().ToArray();
    }
}
