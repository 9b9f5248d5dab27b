using System.CommandLine;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Cli.Options;

internal sealed partial class TrainingSettings
{
    /// <summary>What was given, as a request to the training job.</summary>
    /// <exception cref="UsageException">Something was given that the job has settings of its own for, or two options contradict each other.</exception>
    public TrainingRequest Request(ParseResult parsed)
    {
        if (LocalOnly.FirstOrDefault(option => IsGiven(parsed, option)) is { } local)
            throw new UsageException($"{local.Name} is for training here; with --queue it cannot be given.");
        TrainingOptions given = Over(new TrainingOptions(), parsed);
        return new TrainingRequest
        {
            Epochs = parsed.GetValue(epochs),
            MaxSteps = parsed.GetValue(maxSteps),
            MaxRows = parsed.GetValue(maxRows),
            MaxEvaluationRows = parsed.GetValue(maxEvaluationRows),
            BatchSize = parsed.GetValue(batchSize),
            GradientAccumulation = parsed.GetValue(accumulate),
            MaxLength = parsed.GetValue(maxLength),
            PadToMax = parsed.GetValue(padToMax) ? true : null,
            Optimizer = parsed.GetValue(optimizer),
            Momentum = parsed.GetValue(momentum),
            LearningRate = parsed.GetValue(learningRate),
            Schedule = parsed.GetValue(schedule),
            WarmupRatio = parsed.GetValue(warmupRatio),
            WarmupSteps = parsed.GetValue(warmupSteps),
            WeightDecay = parsed.GetValue(weightDecay),
            MaxGradientNorm = parsed.GetValue(maxGradientNorm),
            LayerDecay = parsed.GetValue(layerDecay),
            AverageDecay = parsed.GetValue(averageDecay),
            FreezeEmbeddings = parsed.GetValue(freezeEmbeddings) ? true : null,
            FrozenLayers = parsed.GetValue(freezeLayers),
            LabelSmoothing = parsed.GetValue(labelSmoothing),
            ClassWeights = given.ClassWeights,
            BalancedClasses = given.BalancedClasses ? true : null,
            HiddenDropout = parsed.GetValue(hiddenDropout),
            AttentionDropout = parsed.GetValue(attentionDropout),
            ClassifierDropout = parsed.GetValue(classifierDropout),
            EvaluateEvery = parsed.GetValue(evaluateEvery),
            Patience = parsed.GetValue(patience),
            KeepBest = parsed.GetValue(keepLast) ? false : null,
            Compute = parsed.GetValue(dtype),
            Seed = parsed.GetValue(seed),
            RequestedBy = "sbert",
        };
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
