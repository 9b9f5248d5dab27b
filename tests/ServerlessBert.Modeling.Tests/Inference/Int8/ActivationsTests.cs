using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

public sealed class ActivationsTests
{
    // Every 1/1,000 from -20 to 20, and what is far beyond.
    private static readonly float[] Inputs =
        [.. Enumerable.Range(-20_000, 40_000).Select(step => step / 1000f), .. Enumerable.Range(0, 16).Select(i => (i - 8) * 100f)];

    [Fact]
    public void Gelu_is_libtorchs() => Compare(Apply<GeluActivation>(), x => F.gelu(x), 6e-5f);

    [Fact]
    public void Gelu_by_tanh_is_libtorchs() =>
        Compare(Apply<GeluTanhActivation>(), x => F.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh), 6e-5f);

    [Fact]
    public void Relu_is_libtorchs() => Compare(Apply<ReluActivation>(), x => F.relu(x), 0);

    private static void Compare(float[] actual, Func<Tensor, Tensor> function, float tolerance)
    {
        using Tensor inputs = tensor(Inputs), expected = function(inputs);
        float[] answers = expected.data<float>().ToArray();
        // what a float keeps of a product
        for (int i = 0; i < Inputs.Length; i++) Assert.Equal(answers[i], actual[i], tolerance + (2e-7f * Math.Abs(Inputs[i])));
    }

    private static float[] Apply<TActivation>() where TActivation : struct, IActivation
    {
        float[] outputs = new float[Inputs.Length];
        for (int i = 0; i < Inputs.Length; i += 16) TActivation.Apply(Vector512.Create<float>(Inputs.AsSpan(i))).CopyTo(outputs, i);
        return outputs;
    }
}
