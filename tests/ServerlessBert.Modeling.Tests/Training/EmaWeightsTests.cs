using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Training;

public sealed class EmaWeightsTests
{
    [Fact]
    public void The_average_is_the_closed_form_and_lending_it_changes_neither()
    {
        const double rate = 0.25, decay = 0.7;
        using var parameter = new Parameter(tensor(new[] { 1f, -2f, 3f }));
        using var optimizer = new FlatSgd([new ParameterGroup([parameter])]);
        using var average = new EmaWeights(optimizer, decay);
        double expected = 1, value = 1;

        for (int step = 1; step <= 12; step++)
        {
            optimizer.Groups[0].Gradients.fill_(step);
            optimizer.Step(rate);
            average.Update();
            value -= rate * step;
            double kept = Math.Min(decay, (1.0 + step) / (10 + step)); // the decay itself from step 20 on
            expected = kept * expected + (1 - kept) * value;
        }

        average.Lend();
        Assert.Equal(expected, parameter[0].item<float>(), 1e-4);
        Assert.Equal(expected - 3, parameter[1].item<float>(), 1e-4);
        average.TakeBack();
        Assert.Equal(value, parameter[0].item<float>(), 1e-4);
        average.Lend();
        Assert.Equal(expected, parameter[0].item<float>(), 1e-4);
    }

    [Fact]
    public void Later_it_keeps_what_was_asked_for()
    {
        Assert.Equal(2.0 / 11, EmaWeights.KeptAt(1, 0.998));
        Assert.Equal(0.998, EmaWeights.KeptAt(10_000, 0.998));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_measured_and_kept_is_the_average_and_not_what_is_trained(bool keepBest)
    {
        var options = new TrainingOptions
        {
            LearningRate = 3e-3,
            BatchSize = 8,
            Epochs = 2,
            LoadBestModelAtEnd = keepBest,
            EmaDecay = 0.9,
            Precision = Precision.Float32
        };
        using Checkpoint averaged = SmallModels.Create(), plain = SmallModels.Create();
        IReadOnlyList<LabelledReview> heldOut = SmallModels.Reviews(31, seed: 9);

        TrainingResult result = new FineTuner(averaged, options).Train(SmallModels.Reviews(64), heldOut);
        TrainingResult other = new FineTuner(plain, options with { EmaDecay = 0 }).Train(SmallModels.Reviews(64), heldOut);

        Assert.Equal(other.FinalLoss, result.FinalLoss); // the average takes no part in learning
        Assert.NotEqual(other.Evaluation!.Loss, result.Evaluation!.Loss);
        float[][] probabilities = [.. heldOut.Select(review => averaged.Classify(review.Text))];
        Assert.Equal(result.Evaluation.Loss, EvaluationMetrics.Of([.. heldOut.Select(review => review.Label)], probabilities).Loss, 1e-4);
    }
}

file static class Classifying
{
    public static float[] Classify(this Checkpoint checkpoint, string text) =>
        ForwardPass.Probabilities(checkpoint.Model, [checkpoint.Tokenizer.Encode(text)], checkpoint.Tokenizer.PaddingId, CPU)[0];
}
