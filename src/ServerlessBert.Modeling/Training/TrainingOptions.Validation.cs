using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

public sealed partial record TrainingOptions
{
    /// <summary>Throws where a setting makes no sense, naming it.</summary>
    /// <exception cref="TrainingException">A setting is out of its range, or two contradict each other.</exception>
    public void Validate()
    {
        ValidateLength();
        ValidateOptimizer();
        ValidateLoss();
        Require(EvaluateEvery is null or > 0, nameof(EvaluateEvery), EvaluateEvery, "above 0");
        Require(Compute != InferenceDtype.Int8, nameof(Compute), Compute, "auto, float32 or bfloat16: nothing is learned in eight bits");
        Require(LogEvery > 0, nameof(LogEvery), LogEvery, "above 0");
        Require(Patience is null or > 0, nameof(Patience), Patience, "above 0");
        if (ClassWeights is not null && BalancedClasses) throw new TrainingException("Class weights are either given or balanced by their rows; both are asked for.");
    }

    /// <summary>Throws where a setting does not fit the model that is trained.</summary>
    /// <exception cref="TrainingException">There are not as many class weights as labels, or more frozen layers than layers.</exception>
    public void ValidateFor(BertConfig config)
    {
        Validate();
        if (ClassWeights is { } weights && weights.Count != config.NumLabels)
            throw new TrainingException($"There are {weights.Count} class weights, but the model has {config.NumLabels} labels; give one for each, one star first.");
        Require(FrozenLayers <= config.NumHiddenLayers, nameof(FrozenLayers), FrozenLayers, $"at most {config.NumHiddenLayers}, the model's layers");
    }

    private void ValidateLength()
    {
        Require(Epochs is > 0 and <= 1000, nameof(Epochs), Epochs, "above 0 and at most 1,000");
        Require(MaxSteps is null or > 0, nameof(MaxSteps), MaxSteps, "above 0");
        Require(MaxHours is null or > 0, nameof(MaxHours), MaxHours, "above 0");
        Require(MaxRows is null or > 0, nameof(MaxRows), MaxRows, "above 0");
        Require(MaxEvaluationRows is null or > 0, nameof(MaxEvaluationRows), MaxEvaluationRows, "above 0");
        Require(BatchSize is > 0 and <= 4096, nameof(BatchSize), BatchSize, "from 1 to 4,096");
        Require(GradientAccumulation is > 0 and <= 4096, nameof(GradientAccumulation), GradientAccumulation, "from 1 to 4,096");
        Require(MaxLength is null or >= 3, nameof(MaxLength), MaxLength, "at least 3: [CLS], a token and [SEP]");
    }

    private void ValidateOptimizer()
    {
        Require(LearningRate is > 0 and <= 10, nameof(LearningRate), LearningRate, "above 0 and at most 10, such as 5e-5");
        Require(Optimizer != OptimizerKind.AdamW || LearningRate < 1, nameof(LearningRate), LearningRate, "below 1 with AdamW, such as 5e-5");
        Require(WarmupRatio is >= 0 and < 1, nameof(WarmupRatio), WarmupRatio, "from 0 to below 1");
        Require(WarmupSteps is null or >= 0, nameof(WarmupSteps), WarmupSteps, "0 or above");
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay, "from 0 to below 1");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 to below 1");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "from 0 to below 1");
        Require(Momentum == 0 || Optimizer == OptimizerKind.Sgd, nameof(Momentum), Momentum, "0 with AdamW, whose momentum is Beta1");
        Require(MaxGradientNorm >= 0, nameof(MaxGradientNorm), MaxGradientNorm, "0 (no clipping) or above");
        Require(AverageDecay is >= 0 and < 1, nameof(AverageDecay), AverageDecay, "0 (off) or below 1, such as 0.998");
        Require(LayerDecay is > 0 and <= 1, nameof(LayerDecay), LayerDecay, "above 0 and at most 1, such as 0.95");
        Require(FrozenLayers >= 0, nameof(FrozenLayers), FrozenLayers, "0 or above");
    }

    private void ValidateLoss()
    {
        Require(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing, "from 0 to below 1, such as 0.1");
        foreach (double weight in ClassWeights ?? [])
            Require(weight > 0 && double.IsFinite(weight), nameof(ClassWeights), weight, "above 0");
        Require(WordDropout is >= 0 and < 1, nameof(WordDropout), WordDropout, "from 0 to below 1, such as 0.3");
        Require(TokenMasking is >= 0 and < 1, nameof(TokenMasking), TokenMasking, "from 0 to below 1, such as 0.3");
        Require(NeighbourSmoothing is >= 0 and < 1, nameof(NeighbourSmoothing), NeighbourSmoothing, "from 0 to below 1, such as 0.15");
        Require(NeighbourSmoothing + LabelSmoothing < 1, nameof(NeighbourSmoothing), NeighbourSmoothing, "below 1 together with LabelSmoothing");
        Require(TeacherShare is >= 0 and <= 1, nameof(TeacherShare), TeacherShare, "from 0 to 1, such as 0.7");
        Require(TeacherViews is > 0 and <= 1000, nameof(TeacherViews), TeacherViews, "from 1 to 1,000");
        Require(CleanEpochs >= 0 && CleanEpochs <= Epochs, nameof(CleanEpochs), CleanEpochs, "0 or above, and at most all epochs");
        RequireShare(HiddenDropout, nameof(HiddenDropout));
        RequireShare(AttentionDropout, nameof(AttentionDropout));
        RequireShare(ClassifierDropout, nameof(ClassifierDropout));
    }

    private static void RequireShare(double? dropout, string name) => Require(dropout is null or (>= 0 and < 1), name, dropout, "from 0 to below 1");

    private static void Require(bool holds, string name, object? value, string range)
    {
        if (!holds) throw new TrainingException(FormattableString.Invariant($"{name} is {value}; it must be {range}."));
    }
}

/// <summary>Settles what <see cref="TrainingOptions.Compute"/> leaves to a measurement.</summary>
public static class ComputeChoice
{
    /// <summary>The options with the number type that auto means on a device, so that a training that is resumed elsewhere does not choose anew.</summary>
    public static TrainingOptions ChosenFor(this TrainingOptions options, Device device) =>
        options with { Compute = options.Compute.On(device) == bfloat16 ? InferenceDtype.BFloat16 : InferenceDtype.Float32 };
}
