using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Training;

public class MixedPrecisionTests
{
    [Fact]
    public void The_loss_curve_in_bfloat16_is_within_the_noise_between_seeds_of_float32()
    {
        double[] single = Curve(Precision.Float32, seed: 1), other = Curve(Precision.Float32, seed: 2),
            mixed = Curve(Precision.BFloat16Mixed, seed: 1);

        double noise = Distance(single, other);
        Assert.True(single[^1] < single[0] / 2, "it learns");
        Assert.InRange(Distance(single, mixed), 0, noise);
    }

    [Fact]
    public void What_flows_between_layers_and_into_layer_norms_head_and_loss_is_float32()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        checkpoint.Model.ComputeDtype = bfloat16;
        using var scope = NewDisposeScope();

        var (hidden, pooled) = checkpoint.Model.Encoder.call(tensor(new long[] { 2, 10, 11, 3 }, [1, 4]), null, null);
        Tensor logits = checkpoint.Model.call(tensor(new long[] { 2, 10, 11, 3 }, [1, 4]), null, null);

        Assert.Equal((float32, float32, float32), (hidden.dtype, pooled.dtype, logits.dtype));
    }

    [Fact]
    public void Softmax_of_bfloat16_scores_is_computed_in_float32_and_rounded_once()
    {
        using var scope = NewDisposeScope();
        Tensor scores = randn([64, 512], bfloat16).mul_(3);

        Tensor exact = scores.to(float32).softmax(-1);
        Tensor ours = nn.functional.softmax(scores, -1);

        // Rounding to 8 bits is off by 2⁻⁸ at most; a sum of 512 terms in bfloat16 would be off by far more.
        Assert.InRange(((ours.to(float32) - exact) / exact).abs().max().ToDouble(), 0, 1.0 / 256 + 1e-5);
    }

    private static double Distance(double[] left, double[] right) => left.Zip(right).Average(pair => Math.Abs(pair.First - pair.Second));

    // Means of five steps each, over the same batches: the seed only draws dropout's masks, as all rows are one batch.
    private static double[] Curve(Precision precision, int seed)
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var losses = new List<double>();
        var options = new TrainingOptions { Precision = precision, Seed = seed, LearningRate = 3e-3, BatchSize = 64, Epochs = 40 };
        new FineTuner(checkpoint, options).Train(SmallModels.Reviews(64), [], new Losses(losses));
        return [.. losses.Chunk(5).Select(chunk => chunk.Average())];
    }

    private sealed class Losses(List<double> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => losses.Add(value.Loss);
    }
}
