using ServerlessBert.Modeling.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Training;

public class TrainingLossTests
{
    private static readonly int[] Labels = [0, 4, 2, 2];

    [Theory]
    [InlineData(false, 0.0)]
    [InlineData(false, 0.2)]
    [InlineData(true, 0.0)]
    [InlineData(true, 0.2)]
    public void The_sum_over_the_weight_is_torchs_mean_with_weights_and_smoothing(bool isWeighted, double smoothing)
    {
        double[] weights = [1, 2, 3, 1, 0.5];
        using var loss =
            new TrainingLoss(
            new TrainingOptions { ClassWeights = isWeighted ? weights : null, LabelSmoothing = smoothing }, Labels, 5, CPU);
        using Tensor logits = randn(4, 5);

        double ours = loss.SumOf(logits, Labels).ToDouble() / loss.WeightOf(Labels);
        double torchs = nn.functional.cross_entropy(
            logits, tensor(new long[] { 0, 4, 2, 2 }), isWeighted ? tensor(weights, float32) : null, label_smoothing: smoothing).ToDouble();

        Assert.Equal(torchs, ours, 1e-5);
    }

    [Fact]
    public void It_is_computed_in_float32_also_for_bfloat16_logits()
    {
        using var loss = new TrainingLoss(new TrainingOptions(), Labels, 5, CPU);
        using Tensor logits = randn([4, 5], bfloat16);

        Assert.Equal(float32, loss.SumOf(logits, Labels).dtype);
    }

    [Fact]
    public void Balanced_weights_give_every_label_that_occurs_the_same_say()
    {
        int[] labels = [0, 0, 0, 0, 0, 0, 2, 2, 4];

        double[] weights = TrainingLoss.Balanced(labels, 5);

        Assert.Equal([0.5, 1, 1.5, 1, 3], weights);
        Assert.Equal(9, labels.Sum(label => weights[label]), 1e-12);
    }
}
