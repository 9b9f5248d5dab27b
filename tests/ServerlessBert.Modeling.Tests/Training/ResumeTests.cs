using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Tests.Checkpoints;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Modeling.Training.Checkpointing;
using ServerlessBert.Testing;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Training;

public sealed class ResumeTests : IDisposable
{
    // 100 reviews in batches of 8, two a step: 7 steps an epoch, the last of one batch, and 21 in all; with dropout.
    private static readonly TrainingOptions Options =
        new()
        {
            Epochs = 3,
            LearningRate = 3e-3,
            BatchSize = 8,
            GradientAccumulation = 2,
            Schedule = ScheduleKind.Cosine,
            LabelSmoothing = 0.1
        };

    private static readonly IReadOnlyList<LabelledReview> Train = SmallModels.Reviews(100), HeldOut = SmallModels.Reviews(31, seed: 9);

    private readonly TemporaryFolder folder = new();
    private readonly List<string> remarks = [];

    [Theory]
    [InlineData(OptimizerKind.AdamW, 1, 0)]
    [InlineData(OptimizerKind.AdamW, 7, 0)] // the end of an epoch, after its evaluation
    [InlineData(OptimizerKind.AdamW, 12, 0)]
    [InlineData(OptimizerKind.AdamW, 20, 0)]
    [InlineData(OptimizerKind.Sgd, 9, 0)]
    [InlineData(OptimizerKind.AdamW, 10, 0.9)]
    [InlineData(OptimizerKind.AdamW, 12, 0.9)]
    public void A_training_that_is_stopped_and_goes_on_ends_with_the_same_weights_to_the_bit(
        OptimizerKind optimizer, int cut, double averageDecay)
    {
        TrainingOptions options =
            Options with
            {
                Optimizer = optimizer,
                Momentum = optimizer == OptimizerKind.Sgd ? 0.9 : 0,
                EmaDecay = averageDecay,
                LoadBestModelAtEnd = cut != 12
            };
        var (uncut, expected) = Run(options, checkpoints: null);

        TrainingResult first = Run(options, Checkpoints(), stopAt: cut).Result;
        var (result, weights) = Run(options, Checkpoints());

        Assert.Equal((TrainingEnd.Cancelled, cut), (first.End, first.Steps));
        Assert.Contains(remarks, remark => remark.Contains($"after step {cut} "));
        AssertSame(expected, weights);
        Assert.Equal(uncut.FinalLoss, result.FinalLoss);
        Assert.Equal((uncut.KeptStep, uncut.PaddingShare), (result.KeptStep, result.PaddingShare));
        Assert.Equal(uncut.Evaluations.Select(each => (each.Step, each.TrainingLoss, each.Metrics.Loss)),
            result.Evaluations.Select(each => (each.Step, each.TrainingLoss, each.Metrics.Loss)));
        Assert.Equal(uncut.Calibration, result.Calibration);
    }

    [Fact]
    public void A_training_that_dies_goes_on_from_its_last_checkpoint_to_the_same_weights()
    {
        float[][] expected = Run(Options, checkpoints: null).Weights;

        Assert.Throws<InvalidTimeZoneException>(() => Run(Options, Checkpoints() with { EverySteps = 4 }, dieAt: 11));
        float[][] weights = Run(Options, Checkpoints()).Weights;

        Assert.Contains(remarks, remark => remark.Contains("after step 8 "));
        AssertSame(expected, weights);
    }

    [Fact]
    public void A_checkpoint_of_other_options_or_rows_or_another_model_is_not_gone_on_from_and_the_reason_is_said()
    {
        Run(Options, Checkpoints(), stopAt: 3);

        var other = Run(Options with { LearningRate = 1e-3 }, Checkpoints(), stopAt: 1).Result;
        Assert.Equal(1, other.Steps);
        Assert.Contains(remarks, remark => remark.Contains("other options"));

        Run(Options, Checkpoints(), stopAt: 1, train: SmallModels.Reviews(90));
        Assert.Contains(remarks, remark => remark.Contains("other rows"));

        Run(Options, Checkpoints(), stopAt: 1, modelSeed: 2);
        Assert.Contains(remarks, remark => remark.Contains("another model"));
    }

    [Fact]
    public void Rows_that_teachers_see_otherwise_are_other_rows()
    {
        Run(Options, Checkpoints(), stopAt: 3);

        TrainingResult taught =
            Run(Options, Checkpoints(), stopAt: 1, train: [.. Train.Select(row => row with { Taught = [1, 0, 0, 0, 0] })]).Result;

        Assert.Equal(1, taught.Steps);
        Assert.Contains(remarks, remark => remark.Contains("other rows"));
    }

    [Fact]
    public void More_hours_do_not_make_it_another_training()
    {
        TrainingResult first = Run(Options with { MaxHours = 1e-9 }, Checkpoints() with { EverySteps = 1 }).Result;
        Run(Options, Checkpoints(), stopAt: 3);

        Assert.Equal((TrainingEnd.TimeLimit, 0), (first.End, first.Steps));
        Assert.Equal(TrainingEnd.TimeLimit, Run(Options with { MaxHours = 1e-9 }, Checkpoints()).Result.End);
        Assert.Contains(remarks, remark => remark.Contains("after step 3 "));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void A_broken_checkpoint_is_passed_over_for_the_one_before_it(string file)
    {
        float[][] expected = Run(Options, checkpoints: null).Weights;
        Assert.Throws<InvalidTimeZoneException>(() => Run(Options, Checkpoints() with { EverySteps = 4 }, dieAt: 11));
        string path = System.IO.Path.Combine(folder.Path, "checkpoint-8", file);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^40]);

        float[][] weights = Run(Options, Checkpoints()).Weights;

        Assert.Contains(remarks, remark => remark.Contains("checkpoint-8 is not gone on from"));
        Assert.Contains(remarks, remark => remark.Contains("after step 4 "));
        AssertSame(expected, weights);
    }

    [Fact]
    public void As_many_checkpoints_as_asked_for_are_kept_and_each_is_told_of()
    {
        var told = new List<string>();

        Run(Options with { MaxSteps = 9 }, Checkpoints() with { EverySteps = 2, Keep = 3, Saved = told.Add });

        Assert.Equal(["checkpoint-4", "checkpoint-6", "checkpoint-8"],
            Directory.EnumerateDirectories(folder.Path).Select(System.IO.Path.GetFileName).Order());
        Assert.Equal(["checkpoint-2", "checkpoint-4", "checkpoint-6", "checkpoint-8"], told.Select(System.IO.Path.GetFileName));

        Checkpoints().Delete();
        Assert.False(Directory.Exists(folder.Path));
        Directory.CreateDirectory(folder.Path); // as the test found it
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_is_said_with_the_last_good_one()
    {
        var blocked = Checkpoints() with
        {
            EverySteps = 2,
            Saved = _ => File.WriteAllText(folder.File("checkpoint-4.partial"), "in the way")
        };

        var exception = Assert.Throws<TrainingException>(() => Run(Options, blocked));

        Assert.Contains("checkpoint of step 4 cannot be written", exception.Message);
        Assert.Contains("checkpoint-2 is the last one", exception.Message);
    }

    [Fact]
    public void A_loss_that_becomes_no_number_keeps_the_last_good_checkpoint_and_names_it()
    {
        using Checkpoint model = SmallModels.Create();
        var poison = new Reports(progress =>
        {
            if (progress.Step != 5) return;
            using var noGrad = torch.no_grad();
            model.Model.state_dict()["classifier.weight"].fill_(float.NaN);
        });

        var exception = Assert.Throws<TrainingException>(
            () => new FineTuner(model, Options).Train(Train, [], poison, Checkpoints() with { EverySteps = 4 }));

        Assert.Contains("step 6 of 21", exception.Message);
        Assert.Contains("checkpoint-4 is the last good checkpoint", exception.Message);
        using var file = SafetensorsReader.Open(System.IO.Path.Combine(folder.Path, "checkpoint-4", "model.safetensors"));
        Assert.All(file.Header.Entries, entry => Assert.True(file.Read(entry).isfinite().all().ToBoolean(), entry.Name));
    }

    public void Dispose() => folder.Dispose();

    private TrainingCheckpoints Checkpoints() => new(folder.Path) { Every = null, Remark = remarks.Add };

    // Each time a model made anew, as in a new process.
    private static (TrainingResult Result, float[][] Weights) Run(
        TrainingOptions options, TrainingCheckpoints? checkpoints, int? stopAt = null, int? dieAt = null,
            IReadOnlyList<LabelledReview>? train = null, int modelSeed = 1)
    {
        using Checkpoint model = SmallModels.Create(modelSeed);
        using var stop = new CancellationTokenSource();
        var watch = new Reports(progress =>
        {
            if (progress.Step == stopAt) stop.Cancel();
            if (progress.Step == dieAt) throw new InvalidTimeZoneException("a stand-in for a lost machine");
        });
        TrainingResult result = new FineTuner(model, options).Train(train ?? Train, HeldOut, watch, checkpoints, stop.Token);
        return (result, [.. model.Model.named_parameters().Select(each => each.parameter.detach().data<float>().ToArray())]);
    }

    private static void AssertSame(float[][] expected, float[][] actual)
    {
        foreach (var (left, right) in expected.Zip(actual)) Assert.Equal(left, right);
    }

    private sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
