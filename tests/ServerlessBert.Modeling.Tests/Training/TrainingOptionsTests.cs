using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Tests.Training;

public class TrainingOptionsTests
{
    public static TheoryData<TrainingOptions, string> Unsound => new()
    {
        { new() { BatchSize = 0 }, "BatchSize" },
        { new() { LearningRate = 3 }, "LearningRate" },
        { new() { GradientAccumulation = 0 }, "GradientAccumulation" },
        { new() { MaxRows = 0 }, "MaxRows" },
        { new() { MaxHours = 0 }, "MaxHours" },
        { new() { Momentum = 0.9 }, "Momentum has no effect without Optimizer sgd" },
        { new() { Optimizer = OptimizerKind.Sgd, Momentum = 1 }, "Momentum" },
        { new() { LabelSmoothing = 1 }, "LabelSmoothing" },
        { new() { ClassWeights = [1, 1, -1, 1, 1] }, "ClassWeights" },
        { new() { ClassWeights = [1, 1, 1, 1, 1], BalancedClasses = true }, "ClassWeights cannot be combined with BalancedClasses true" },
        { new() { ClassWeights = [1, 2] }, "2 class weights, but the model has 5 labels" },
        { new() { FrozenLayers = 3 }, "the model's layers" },
        { new() { HiddenDropout = 1 }, "HiddenDropout" },
        { new() { LayerwiseLearningRateDecay = 0 }, "LayerwiseLearningRateDecay" },
        { new() { EmaDecay = 1 }, "EmaDecay" },
        { new() { DistillationWeight = 1.1 }, "DistillationWeight" },
        { new() { AugmentedViews = 0 }, "AugmentedViews" },
        { new() { LateDropoutStart = 4 }, "LateDropoutStart" },
        { new() { EvaluateEvery = 0 }, "EvaluateEvery" },
        { new() { EarlyStoppingPatience = 0 }, "EarlyStoppingPatience" },
        { new() { Precision = (Precision)3 }, "Precision is 3; it must be auto, float32 or bf16-mixed" },
        { new() { WarmupSteps = -1 }, "WarmupSteps" },
    };

    [Theory, MemberData(nameof(Unsound))]
    public void A_setting_out_of_its_range_or_against_another_is_named(TrainingOptions options, string named) =>
        Assert.Contains(named, Assert.Throws<TrainingException>(() => options.ValidateFor(BertConfig.Preset("tiny", 100))).Message);

    [Fact]
    public void The_defaults_and_those_for_random_weights_are_sound()
    {
        new TrainingOptions().ValidateFor(BertConfig.Preset("tiny", 100));
        TrainingOptions.FromScratch.ValidateFor(BertConfig.Preset("tiny", 100));
    }
}
