using System.CommandLine;
using System.Globalization;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Cli.Options;

internal sealed partial class TrainingSettings
{
    /// <summary>The defaults with what was given in their place.</summary>
    /// <exception cref="UsageException">Two options contradict each other, or class weights are no numbers.</exception>
    public TrainingOptions Over(TrainingOptions defaults, ParseResult parsed)
    {
        if (parsed.GetValue(warmupRatio) is not null && parsed.GetValue(warmupSteps) is not null)
            throw new UsageException("give either --warmup-ratio or --warmup-steps, not both.");
        if (parsed.GetValue(momentum) is not null && parsed.GetValue(optimizer) != OptimizerKind.Sgd)
            throw new UsageException("--momentum goes with --optimizer sgd; AdamW has its own.");
        if (parsed.GetValue(keepLast) && parsed.GetValue(patience) is not null)
            throw new UsageException("--patience stops some evaluations after the best one, whose weights --keep-last would throw away; give one of them.");
        return Learning(Data(defaults, parsed), parsed) with
        {
            LabelSmoothing = parsed.GetValue(labelSmoothing) ?? defaults.LabelSmoothing,
            BalancedClasses = parsed.GetValue(classWeights) == "balanced",
            ClassWeights = parsed.GetValue(classWeights) is { } weights and not "balanced" ? WeightsOf(weights) : null,
            HiddenDropout = parsed.GetValue(hiddenDropout) ?? defaults.HiddenDropout,
            AttentionDropout = parsed.GetValue(attentionDropout) ?? defaults.AttentionDropout,
            ClassifierDropout = parsed.GetValue(classifierDropout) ?? defaults.ClassifierDropout,
            NeighbourSmoothing = parsed.GetValue(neighbourSmoothing) ?? defaults.NeighbourSmoothing,
            WordDropout = parsed.GetValue(wordDropout) ?? defaults.WordDropout,
            TeacherShare = parsed.GetValue(teacherShare) ?? defaults.TeacherShare,
            TeacherViews = parsed.GetValue(teacherViews) ?? defaults.TeacherViews,
            CleanEpochs = parsed.GetValue(cleanEpochs) ?? defaults.CleanEpochs,
            TokenMasking = parsed.GetValue(tokenMasking) ?? defaults.TokenMasking,
            EvaluateEvery = parsed.GetValue(evaluateEvery) ?? defaults.EvaluateEvery,
            LogEvery = parsed.GetValue(logEvery) ?? defaults.LogEvery,
            Patience = parsed.GetValue(patience) ?? defaults.Patience,
            KeepBest = !parsed.GetValue(keepLast) && defaults.KeepBest,
            Compute = parsed.GetValue(dtype) ?? defaults.Compute,
            Seed = parsed.GetValue(seed) ?? defaults.Seed,
        };
    }

    private TrainingOptions Data(TrainingOptions defaults, ParseResult parsed) => defaults with
    {
        Epochs = parsed.GetValue(epochs) ?? defaults.Epochs,
        MaxSteps = parsed.GetValue(maxSteps) ?? defaults.MaxSteps,
        MaxHours = parsed.GetValue(maxHours) ?? defaults.MaxHours,
        MaxRows = parsed.GetValue(maxRows) ?? defaults.MaxRows,
        MaxEvaluationRows = parsed.GetValue(maxEvaluationRows) ?? defaults.MaxEvaluationRows,
        BatchSize = parsed.GetValue(batchSize) ?? defaults.BatchSize,
        GradientAccumulation = parsed.GetValue(accumulate) ?? defaults.GradientAccumulation,
        MaxLength = parsed.GetValue(maxLength) ?? defaults.MaxLength,
        PadToMax = parsed.GetValue(padToMax) || defaults.PadToMax,
    };

    private TrainingOptions Learning(TrainingOptions defaults, ParseResult parsed) => defaults with
    {
        Optimizer = parsed.GetValue(optimizer) ?? defaults.Optimizer,
        Momentum = parsed.GetValue(momentum) ?? defaults.Momentum,
        LearningRate = parsed.GetValue(learningRate) ?? defaults.LearningRate,
        Schedule = parsed.GetValue(schedule) ?? defaults.Schedule,
        WarmupRatio = parsed.GetValue(warmupRatio) ?? defaults.WarmupRatio,
        WarmupSteps = parsed.GetValue(warmupSteps) ?? defaults.WarmupSteps,
        WeightDecay = parsed.GetValue(weightDecay) ?? defaults.WeightDecay,
        Beta1 = parsed.GetValue(beta1) ?? defaults.Beta1,
        Beta2 = parsed.GetValue(beta2) ?? defaults.Beta2,
        Epsilon = parsed.GetValue(epsilon) ?? defaults.Epsilon,
        MaxGradientNorm = parsed.GetValue(maxGradientNorm) ?? defaults.MaxGradientNorm,
        LayerDecay = parsed.GetValue(layerDecay) ?? defaults.LayerDecay,
        AverageDecay = parsed.GetValue(averageDecay) ?? defaults.AverageDecay,
        FreezeEmbeddings = parsed.GetValue(freezeEmbeddings) || defaults.FreezeEmbeddings,
        FrozenLayers = parsed.GetValue(freezeLayers) ?? defaults.FrozenLayers,
    };

    private static double[] WeightsOf(string given) =>
    [
        .. given.Split(',').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
            ? weight
            : throw new UsageException($"--class-weights is '{given}'; give numbers between commas, one star first, or balanced.")),
    ];
}
