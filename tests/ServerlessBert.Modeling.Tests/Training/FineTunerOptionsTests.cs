using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Training;

/// <summary>That each option does what it says.</summary>
public sealed class FineTunerOptionsTests
{
    private static readonly TrainingOptions Quick =
        new() { LearningRate = 3e-3, BatchSize = 16, MaxSteps = 4, WarmupRatio = 0, Precision = Precision.Float32 };
    private static readonly TrainingOptions WithoutDropout = Quick with { HiddenDropout = 0, AttentionDropout = 0, ClassifierDropout = 0 };
    private static readonly IReadOnlyList<LabelledReview> Train = SmallModels.Reviews(64), HeldOut = SmallModels.Reviews(31, seed: 9);

    [Fact]
    public void Accumulated_batches_make_the_step_of_one_large_batch()
    {
        // Sgd: AdamW steps by the sign of gradients that are only rounding. All rows in one step, so the order does not matter.
        TrainingOptions sgd =
            WithoutDropout with
            {
                Optimizer = OptimizerKind.Sgd,
                LearningRate = 0.1,
                MaxSteps = 3,
                LabelSmoothing = 0.1,
                BalancedClasses = true,
                MaxGradientNorm = 0
            };

        float[] large = WeightsAfter(sgd with { BatchSize = 64 });
        float[] small = WeightsAfter(sgd with { BatchSize = 7, GradientAccumulation = 10 });

        Assert.InRange(large.Zip(small).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1e-5);
    }

    [Fact]
    public void Padding_to_the_longest_length_changes_the_tokens_and_not_the_loss()
    {
        TrainingOptions whole = WithoutDropout with { BatchSize = 64, MaxSteps = 1 };
        double dynamic = 0, padded = 0;
        TrainingResult byLength = Run(whole, progress => dynamic = progress.Loss).Result;
        TrainingResult toMax = Run(whole with { PadToMax = true }, progress => padded = progress.Loss).Result;

        Assert.Equal(dynamic, padded, 1e-5);
        Assert.InRange(toMax.PaddingShare, 0.75, 1); // to 64 tokens, of some ten
        Assert.True(byLength.PaddingShare < toMax.PaddingShare);
    }

    [Fact]
    public void Clean_passes_learn_without_dropout_and_noise_and_the_others_with_them()
    {
        TrainingOptions noisy =
            Quick with
            {
                MaxSteps = null,
                Epochs = 2,
                HiddenDropout = 0.5,
                AttentionDropout = 0.5,
                ClassifierDropout = 0.5,
                TokenDropout = 0.5,
                TokenMasking = 0.5
            };
        double[] LossesOf(TrainingOptions options)
        {
            var losses = new List<double>();
            Run(options, progress => { if (progress.Evaluation is null) losses.Add(progress.Loss); });
            return [.. losses];
        }

        double[] clean = LossesOf(WithoutDropout with { MaxSteps = null, Epochs = 2 }),
            first = LossesOf(noisy with { LateDropoutStart = 1 }), never = LossesOf(noisy);

        Assert.Equal(8, first.Length);
        Assert.Equal(clean[..4], first[..4]);
        Assert.All(clean[4..].Zip(first[4..]), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.NotEqual(never[0], first[0]);
    }

    [Fact]
    public void Frozen_parts_stay_as_they_are_and_the_others_learn()
    {
        using Checkpoint untouched = SmallModels.Create();
        using Checkpoint trained = SmallModels.Create();

        new FineTuner(trained, Quick with { FreezeEmbeddings = true, FrozenLayers = 1 }).Train(Train, []);

        foreach (var (before, after) in untouched.Model.named_parameters().Zip(trained.Model.named_parameters()))
        {
            bool isFrozen = before.name.StartsWith("bert.embeddings.") || before.name.StartsWith("bert.encoder.layer.0.");
            Assert.True(isFrozen == before.parameter.eq(after.parameter).all().ToBoolean(), before.name);
            Assert.True(after.parameter.requires_grad, before.name); // as it was found
        }
    }

    [Fact]
    public void Layers_nearer_to_the_input_learn_at_a_smaller_rate()
    {
        // The first step of AdamW moves every weight with a gradient by the learning rate.
        using Checkpoint before = SmallModels.Create(), after = SmallModels.Create();
        new FineTuner(after, WithoutDropout with { MaxSteps = 1, LearningRate = 1e-2, WeightDecay = 0, LayerwiseLearningRateDecay = 0.5 })
            .Train(Train, []);
        double MovedBy(string name) => (after.Model.state_dict()[name] - before.Model.state_dict()[name]).abs().max().ToDouble();

        Assert.Equal(1e-2, MovedBy("classifier.weight"), 1e-4);
        Assert.Equal(1e-2, MovedBy("bert.pooler.dense.weight"), 1e-4);
        Assert.Equal(5e-3, MovedBy("bert.encoder.layer.1.output.dense.weight"), 1e-4);
        Assert.Equal(2.5e-3, MovedBy("bert.encoder.layer.0.output.dense.weight"), 1e-4);
        Assert.Equal(1.25e-3, MovedBy("bert.embeddings.word_embeddings.weight"), 1e-4);
    }

    [Fact]
    public void Without_dropout_a_step_does_not_depend_on_its_random_numbers()
    {
        double LossOf(TrainingOptions options)
        {
            double loss = 0;
            Run(options with { BatchSize = 64, MaxSteps = 1 }, progress => loss = progress.Loss);
            return loss;
        }

        Assert.Equal(LossOf(WithoutDropout with { Seed = 1 }), LossOf(WithoutDropout with { Seed = 2 }), 1e-5);
        foreach (TrainingOptions one in new[] { WithoutDropout with { HiddenDropout = 0.5 },
            WithoutDropout with { AttentionDropout = 0.5 }, WithoutDropout with { ClassifierDropout = 0.5 } })
            Assert.NotEqual(LossOf(one with { Seed = 1 }), LossOf(one with { Seed = 2 }), 1e-4);
    }

    [Fact]
    public void The_models_own_dropout_is_back_after_training()
    {
        double[] Dropouts(Checkpoint checkpoint) =>
            [.. checkpoint.Model.modules().OfType<BertDropout>().Select(dropout => dropout.Probability)];
        using Checkpoint checkpoint = SmallModels.Create();
        double[] before = Dropouts(checkpoint);

        new FineTuner(checkpoint, WithoutDropout with { MaxSteps = 1 }).Train(Train, []);

        Assert.Equal(before, Dropouts(checkpoint));
    }

    [Fact]
    public void Early_stopping_ends_it_after_so_many_evaluations_without_a_better_accuracy()
    {
        // Nothing is learned at such a rate, so that no evaluation is better than the first.
        TrainingResult result =
            Run(Quick with { MaxSteps = 50, LearningRate = 1e-12, EvaluateEvery = 2, EarlyStoppingPatience = 3 }).Result;

        Assert.Equal((TrainingEnd.EarlyStopping, 8, 2), (result.End, result.Steps, result.KeptStep));
        Assert.Equal([2, 4, 6, 8], result.Evaluations.Select(each => each.Step));
    }

    [Fact]
    public void The_limit_of_hours_ends_it_with_what_it_has()
    {
        TrainingResult result = Run(Quick with { MaxHours = 1e-9 }).Result;

        Assert.Equal((TrainingEnd.TimeLimit, 0), (result.End, result.Steps));
        Assert.NotNull(result.Evaluation);
    }

    [Fact]
    public void Steps_are_reported_with_their_gradient_norm_and_the_logged_ones_are_marked()
    {
        var steps = new List<TrainingProgress>();
        Run(Quick with { MaxSteps = 7, LogEvery = 3 }, progress => { if (progress.Evaluation is null) steps.Add(progress); });

        Assert.Equal([3, 6, 7], steps.Where(step => step.IsLogged).Select(step => step.Step));
        Assert.All(steps, step => Assert.True(step.GradientNorm > 0));
        Assert.Equal(64 + 3 * 16, steps[^1].Reviews);
    }

    [Fact]
    public void A_subset_is_drawn_with_the_seed()
    {
        IReadOnlyList<int> rows = [.. Enumerable.Range(0, 5000)];

        IReadOnlyList<int> drawn = RowSubset.Of(rows, 1000, seed: 42);

        Assert.Equal(1000, drawn.Distinct().Count());
        Assert.Equal(drawn, RowSubset.Of(rows, 1000, seed: 42));
        Assert.NotEqual(drawn, RowSubset.Of(rows, 1000, seed: 43));
        Assert.InRange(drawn.Average(), 2300, 2700);
        Assert.Same(rows, RowSubset.Of(rows, 5000, seed: 42));
        Assert.Equal(3, Run(Quick with { MaxSteps = null, Epochs = 1, MaxRows = 40, MaxEvaluationRows = 5 }).Result is { } result
            && result.Evaluation!.Rows == 5 ? result.Steps : 0);
    }

    [Fact]
    public void Early_stopping_without_rows_to_measure_on_is_refused()
    {
        using Checkpoint checkpoint = SmallModels.Create();

        Assert.Contains(
            "EarlyStoppingPatience needs rows to measure on",
            Assert.Throws<TrainingException>(
            () => new FineTuner(checkpoint, Quick with { EarlyStoppingPatience = 2 }).Train(Train, [])).Message);
    }

    private static float[] WeightsAfter(TrainingOptions options) => Run(options).Weights;

    private static (TrainingResult Result, float[] Weights) Run(TrainingOptions options, Action<TrainingProgress>? watch = null)
    {
        using Checkpoint checkpoint = SmallModels.Create();
        TrainingResult result = new FineTuner(checkpoint, options with { LoadBestModelAtEnd = options.EarlyStoppingPatience is not null })
            .Train(Train, HeldOut, new Reports(watch ?? (_ => { })));
        return (result, checkpoint.Model.state_dict()["bert.encoder.layer.1.output.dense.weight"].data<float>().ToArray());
    }

    private sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
