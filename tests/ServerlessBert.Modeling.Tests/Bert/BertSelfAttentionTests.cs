using ServerlessBert.Modeling.Bert;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Bert;

[Collection(GlobalRandomState.Name)]
public sealed class BertSelfAttentionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_kernel_of_the_GPU_and_the_operations_of_the_CPU_agree(bool isPadded)
    {
        using var attention = new BertSelfAttention(BertForSequenceClassificationTests.Small);
        attention.eval();
        random.manual_seed(5);
        using var scope = NewDisposeScope();
        Tensor q = randn(2, 4, 7, 8), k = randn(2, 4, 7, 8), v = randn(2, 4, 7, 8);
        var bias = isPadded ? zeros(2, 1, 1, 7) : null;
        if (bias is not null) bias[1, 0, 0, 6] = finfo(ScalarType.Float32).min;
        Assert.True(BertForSequenceClassificationTests.Difference(
            attention.Explicit(q, k, v, bias), attention.Fused(q, k, v, bias)) < 1e-5);
    }
}
