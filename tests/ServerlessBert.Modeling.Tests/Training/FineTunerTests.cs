using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Training;

public sealed class FineTunerTests
{
    private static readonly TrainingOptions Quick = new() { Epochs = 6, LearningRate = 3e-3, BatchSize = 16 };

    [Fact]
    public void It_learns_what_is_there_to_learn()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        TrainingResult result = new FineTuner(checkpoint, Quick).Train(SmallModels.Reviews(300), SmallModels.Reviews(103, seed: 8));

        Assert.True(result.Evaluation!.Accuracy > 0.9, $"accuracy {result.Evaluation.Accuracy}");
        Assert.Equal(6 * 19, result.Steps);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        Assert.Equal(WeightsAfter(seed: 1), WeightsAfter(seed: 1));
        Assert.NotEqual(WeightsAfter(seed: 1), WeightsAfter(seed: 2));
    }

    [Fact]
    public void The_kept_weights_are_those_of_the_best_evaluation()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var evaluations = new List<(int Step, double Accuracy)>();
        IReadOnlyList<LabelledReview> heldOut = SmallModels.Reviews(60, seed: 9);
        var collect = new Reports(
            progress => { if (progress.Evaluation is { } metrics) evaluations.Add((progress.Step, metrics.Accuracy)); });

        TrainingResult result = new FineTuner(checkpoint, Quick with { LearningRate = 2e-2 })
            .Train(SmallModels.Reviews(120), heldOut, collect);

        Assert.Equal(evaluations.Max(one => one.Accuracy), result.Evaluation!.Accuracy);
        Assert.Equal(evaluations.First(one => one.Accuracy == result.Evaluation.Accuracy).Step, result.KeptStep);
        using var classifier = ReviewClassifier.Of(checkpoint, new InferenceOptions { Dtype = InferenceDtype.Float32 });
        Assert.Equal(result.Evaluation.Accuracy,
            classifier.Classify([.. heldOut.Select(one => one.Text)]).Zip(heldOut)
            .Average(pair => pair.First.Stars == pair.Second.Label + 1 ? 1.0 : 0));
    }

    [Fact]
    public void Max_steps_ends_it_and_is_reported_as_the_whole_training()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        TrainingResult result = new FineTuner(checkpoint, Quick with { MaxSteps = 3 }).Train(SmallModels.Reviews(100), []);

        Assert.Equal(3, result.Steps);
        Assert.False(result.IsCancelled);
    }

    [Fact]
    public void Cancelling_stops_after_the_present_step()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using var source = new CancellationTokenSource();
        var stopAtTwo = new Reports(progress => { if (progress.Step == 2) source.Cancel(); });

        TrainingResult result = new FineTuner(checkpoint, Quick)
            .Train(SmallModels.Reviews(100), [], stopAtTwo, cancellationToken: source.Token);

        Assert.Equal(2, result.Steps);
        Assert.True(result.IsCancelled);
    }

    [Fact]
    public void Biases_and_layer_norms_are_not_decayed()
    {
        // With no gradient to speak of (a learning rate times decay of 0.5), only decay moves weights.
        using Checkpoint checkpoint = SmallModels.Create();
        float before = NormOf(checkpoint, "bert.encoder.layer.0.output.LayerNorm.weight");
        float dense = NormOf(checkpoint, "bert.encoder.layer.0.output.dense.weight");

        new FineTuner(checkpoint,
            Quick with { MaxSteps = 5, LearningRate = 1e-2, WeightDecay = 0.99, WarmupRatio = 0, LoadBestModelAtEnd = false })
            .Train(SmallModels.Reviews(100), []);

        Assert.InRange(NormOf(checkpoint, "bert.encoder.layer.0.output.LayerNorm.weight") / before, 0.97, 1.03);
        Assert.InRange(NormOf(checkpoint, "bert.encoder.layer.0.output.dense.weight") / dense, 0.5, 0.99);
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        long LeftBehind(int steps)
        {
            long before = TensorCount.Settled();
            new FineTuner(checkpoint, Quick with { MaxSteps = steps }).Train(SmallModels.Reviews(64), []);
            return torch.Tensor.TotalCount - before; // without waiting for finalizers: nothing may be left to them
        }
        LeftBehind(1);

        // Ten more steps; one tensor a step would be ten more.
        Assert.InRange(LeftBehind(12) - LeftBehind(2), long.MinValue, 9);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_it_and_names_the_step()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        using (torch.no_grad()) checkpoint.Model.state_dict()["classifier.weight"].fill_(float.NaN);

        var exception = Assert.Throws<TrainingException>(() => new FineTuner(checkpoint, Quick).Train(SmallModels.Reviews(32), []));

        Assert.Contains("step 1", exception.Message);
    }

    [Fact]
    public void BFloat16_products_over_float32_weights_learn_as_well()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        TrainingResult result = new FineTuner(checkpoint, Quick with { Precision = Precision.BFloat16Mixed })
            .Train(SmallModels.Reviews(300), SmallModels.Reviews(103, seed: 8));

        Assert.True(result.Evaluation!.Accuracy > 0.9, $"accuracy {result.Evaluation.Accuracy}");
        Assert.All(checkpoint.Model.state_dict().Values, weight => Assert.Equal(torch.float32, weight.dtype));
    }

    [Fact]
    public void Nothing_to_learn_from_one_label_only_and_labels_out_of_range_are_refused()
    {
        using Checkpoint checkpoint = SmallModels.Create();
        var tuner = new FineTuner(checkpoint, Quick);

        Assert.Contains("no labelled review", Assert.Throws<TrainingException>(() => tuner.Train([], [])).Message);
        Assert.Contains("3 stars", Assert.Throws<TrainingException>(() => tuner.Train([new("a", 2), new("b", 2)], [])).Message);
        Assert.Contains("label is 5", Assert.Throws<TrainingException>(() => tuner.Train([new("a", 0), new("b", 5)], [])).Message);
    }

    [Fact]
    public void An_option_out_of_its_range_is_named()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        Assert.Contains(
            "BatchSize", Assert.Throws<TrainingException>(() => new FineTuner(checkpoint, Quick with { BatchSize = 0 })).Message);
        Assert.Contains(
            "LearningRate", Assert.Throws<TrainingException>(() => new FineTuner(checkpoint, Quick with { LearningRate = 3 })).Message);
    }

    private static float[] WeightsAfter(int seed)
    {
        using Checkpoint checkpoint = SmallModels.Create();
        new FineTuner(checkpoint, Quick with { Seed = seed, MaxSteps = 4 }).Train(SmallModels.Reviews(64), []);
        return checkpoint.Model.state_dict()["bert.encoder.layer.1.output.dense.weight"].data<float>().ToArray();
    }

    private static float NormOf(Checkpoint checkpoint, string key) => checkpoint.Model.state_dict()[key].norm().ToSingle();

    private sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
