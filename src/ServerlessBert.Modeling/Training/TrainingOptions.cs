using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Modeling.Training;

/// <summary>
/// Every setting of a fine-tuning. A property and its attributes are all there is to an option: the command line, the training
/// request, validation and docs/reference/options.md are made from them. Names that were written before keep their spelling in JSON.
/// </summary>
public sealed record TrainingOptions : IValidatableObject
{
#pragma warning disable CS1591 // What an option does is said once, by its attribute.

    [Option("--epochs", Group = OptionGroup.Data, Help = "Epochs to train for", Example = "3", Why = "BERT's paper and the Trainer have 3")]
    [Range(0.0, 1000, MinimumIsExclusive = true)]
    public double Epochs { get; init; } = 3;

    [Option("--max-steps", Group = OptionGroup.Data, Help = "Optimizer steps at most", NullMeans = "as many as the epochs need")]
    [Range(1, 100_000_000)]
    public int? MaxSteps { get; init; }

    [Option("--max-hours", Group = OptionGroup.Data, IsLocal = true,
        Help = "Hours after which training ends with what it has; interrupted runs of it count", NullMeans = "no limit",
        Why = "The job has its own, ServerlessBert__Trainer__MaxHours")]
    [Range(0.0, 10_000, MinimumIsExclusive = true)]
    public double? MaxHours { get; init; }

    [Option("--max-rows", Group = OptionGroup.Data, Help = "Rows to learn from at most, drawn with the seed", NullMeans = "all",
        Why = "The tutorial takes 1,000 to be quick")]
    [Range(1, int.MaxValue)]
    public int? MaxRows { get; init; }

    [Option("--max-eval-rows", Group = OptionGroup.Evaluation, Help = "Rows of the validation set at most, drawn with the seed",
        NullMeans = "all")]
    [Range(1, int.MaxValue)]
    public int? MaxEvaluationRows { get; init; }

    [Option("--batch-size", Group = OptionGroup.Data, Help = "Reviews per forward pass",
        Why = "The smaller of the two that BERT's paper tried")]
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 16;

    [Option("--gradient-accumulation", FormerName = "--accumulate", Group = OptionGroup.Optimization,
        Help = "Batches whose gradients make one step: the step of a larger batch in less memory")]
    [Range(1, 4096)]
    public int GradientAccumulation { get; init; } = 1;

    [Option("--max-length", Group = OptionGroup.Data, Help = "Longest review in tokens, special tokens included; longer ones are cut",
        NullMeans = "the model's maximum", Why = "256 holds nine reviews of ten whole and halves the time")]
    [Range(3, 8192)]
    public int? MaxLength { get; init; }

    [Option("--pad-to-max", Group = OptionGroup.Data,
        Help = "Pad every review to the longest length, in shuffled batches, as the tutorial does",
        Why = "Batches of like length, padded to their own longest, compute the same for a fraction of the tokens")]
    public bool PadToMax { get; init; }

    [Option("--optimizer", Group = OptionGroup.Optimization, Help = "How gradients become updates", Why = "BERT is trained with AdamW")]
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    [Option("--learning-rate", "--lr", Group = OptionGroup.Optimization, Help = "Peak of the learning rate", Example = "5e-5",
        Why = "The Trainer's default for a pretrained model; random weights have nothing to forget")]
    [Range(0.0, 10, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 5e-5;

    [Option("--schedule", Group = OptionGroup.Optimization, Help = "The learning rate after its warm-up",
        Why = "As BERT and the Trainer have it")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    [Option("--warmup-ratio", Group = OptionGroup.Optimization, Help = "Share of the steps over which the learning rate rises from 0",
        Example = "0.1", Why = "BERT's")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double WarmupRatio { get; init; } = 0.1;

    [Option("--warmup-steps", Group = OptionGroup.Optimization, Help = "Steps over which the learning rate rises from 0",
        NullMeans = "by --warmup-ratio")]
    [Range(0, 100_000_000)]
    [ConflictsWith(nameof(WarmupRatio), "both say how long the warm-up is")]
    public int? WarmupSteps { get; init; }

    [Option("--weight-decay", Group = OptionGroup.Optimization, Help = "Decay of the weights, but not of biases and LayerNorms",
        Example = "0.01", Why = "BERT's")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double WeightDecay { get; init; } = 0.01;

    [Option("--adam-beta1", Group = OptionGroup.Optimization, IsLocal = true, Help = "AdamW's decay of the mean gradient", Example = "0.9")]
    [Range(0.0, 1, MaximumIsExclusive = true), Requires(nameof(Optimizer), OptimizerKind.AdamW)]
    public double Beta1 { get; init; } = 0.9;

    [Option("--adam-beta2", Group = OptionGroup.Optimization, IsLocal = true, Help = "AdamW's decay of the mean squared gradient",
        Example = "0.999")]
    [Range(0.0, 1, MaximumIsExclusive = true), Requires(nameof(Optimizer), OptimizerKind.AdamW)]
    public double Beta2 { get; init; } = 0.999;

    [Option("--adam-epsilon", Group = OptionGroup.Optimization, IsLocal = true, Help = "AdamW's epsilon", Example = "1e-8",
        Why = "The Trainer's; BERT's own code had 1e-6")]
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true), Requires(nameof(Optimizer), OptimizerKind.AdamW)]
    public double Epsilon { get; init; } = 1e-8;

    [Option("--momentum", Group = OptionGroup.Optimization, Help = "SGD's momentum", Example = "0.9", Why = "torch.optim.SGD's default")]
    [Range(0.0, 1, MaximumIsExclusive = true), Requires(nameof(Optimizer), OptimizerKind.Sgd)]
    public double Momentum { get; init; }

    [Option("--ema-decay", FormerName = "--average-decay", Group = OptionGroup.Optimization,
        Help = "Measure and keep the exponential moving average (EMA) of the weights with this decay per step; 0 turns it off",
        Example = "0.998",
        Why = "At the end of a falling rate they differ little: 0.995 lowered the loss by 0.002, with the same accuracy")]
    [Range(0.0, 1, MaximumIsExclusive = true), JsonPropertyName("averageDecay")]
    public double EmaDecay { get; init; }

    [Option("--max-grad-norm", Group = OptionGroup.Optimization, Help = "Clip gradients to this norm; 0 turns clipping off")]
    [Range(0.0, double.MaxValue)]
    public double MaxGradientNorm { get; init; } = 1.0;

    [Option("--layerwise-lr-decay", FormerName = "--layer-decay", Group = OptionGroup.Optimization,
        Help = "Layer-wise learning-rate decay: a layer's rate as a share of the next higher one's", Example = "0.95",
        Why = "1, all learn alike; below, layers that know most about language change less (Howard and Ruder 2018, arXiv:1801.06146)")]
    [Range(0.0, 1, MinimumIsExclusive = true), JsonPropertyName("layerDecay")]
    public double LayerwiseLearningRateDecay { get; init; } = 1;

    [Option("--freeze-embeddings", Group = OptionGroup.Optimization,
        Help = "Do not train the embeddings, which saves their share of the optimizer's memory")]
    public bool FreezeEmbeddings { get; init; }

    [Option("--freeze-layers", Group = OptionGroup.Optimization,
        Help = "Encoder layers, from the input, that are not trained; below the first trained one they cost no backward pass")]
    [Range(0, 1000)]
    public int FrozenLayers { get; init; }

    [Option("--label-smoothing", Group = OptionGroup.Regularization,
        Help = "Share of a label's probability that is spread over all labels (Szegedy et al. 2016, arXiv:1512.00567)", Example = "0.1")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; init; }

    [Option("--class-weights", Group = OptionGroup.Regularization,
        Help = "The loss's weight of each label, one star first; balanced weighs labels in inverse proportion to their rows",
        NullMeans = "all alike", Example = "1,1,2,1,1", Why = "Predictions are judged by accuracy")]
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true), OrWord("balanced", nameof(BalancedClasses))]
    [ConflictsWith(nameof(BalancedClasses), "labels are weighted either by numbers or by their rows")]
    public IReadOnlyList<double>? ClassWeights { get; init; }

    [Option("--balanced-classes", Group = OptionGroup.Regularization, Help = "Weigh labels in inverse proportion to their rows",
        Why = "Off; for data in which a rating is rare and still matters")]
    public bool BalancedClasses { get; init; }

    [Option("--hidden-dropout", Group = OptionGroup.Regularization, Help = "Dropout after embeddings and sub-layers",
        NullMeans = "the model's own", Example = "0.1")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double? HiddenDropout { get; init; }

    [Option("--attention-dropout", Group = OptionGroup.Regularization, Help = "Dropout of attention probabilities",
        NullMeans = "the model's own", Example = "0.1")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double? AttentionDropout { get; init; }

    [Option("--classifier-dropout", Group = OptionGroup.Regularization, Help = "Dropout before the classifier",
        NullMeans = "the model's own", Example = "0.1")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double? ClassifierDropout { get; init; }

    [Option("--token-dropout", FormerName = "--word-dropout", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "Share of a review's tokens left out, others in each epoch (Iyyer et al. 2015)", Example = "0.3",
        Why = "A pretrained model overfits little; a small one from random weights gains from 0.2 to 0.4")]
    [Range(0.0, 1, MaximumIsExclusive = true), JsonPropertyName("wordDropout")]
    public double TokenDropout { get; init; }

    [Option("--token-masking", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "Share of a review's tokens masked as in pretraining, others in each epoch", Example = "0.3", Why = "As token dropout")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double TokenMasking { get; init; }

    [Option("--ordinal-label-smoothing", FormerName = "--neighbour-smoothing", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "Share of a rating's probability that the ratings beside it get, half each", Example = "0.15",
        Why = "Off; people who like a place as much differ by a star (soft labels of ordinal classes: Díaz and Marathe 2019, CVPR)")]
    [Range(0.0, 1, MaximumIsExclusive = true), JsonPropertyName("neighbourSmoothing")]
    public double OrdinalLabelSmoothing { get; init; }

    [Option("--distillation-weight", FormerName = "--teacher-share", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "With --teacher: the teachers' share of a row's target, beside its label; 1 with augmented views", Example = "0.7",
        Why = "Most of it, as Hinton et al. found best (2015, arXiv:1503.02531)")]
    [Range(0.0, 1), JsonPropertyName("teacherShare")]
    public double DistillationWeight { get; init; } = 0.7;

    [Option("--augmented-views", FormerName = "--teacher-views", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "With --teacher: views of each row that teachers see and that are learned in each epoch, with other words left out of each",
        Example = "10", Why = "The row as it is; 10 teach more for ten times the work")]
    [Range(1, 1000), JsonPropertyName("teacherViews")]
    public int AugmentedViews { get; init; } = 1;

    [Option("--late-dropout-start", FormerName = "--clean-epochs", Group = OptionGroup.Regularization, IsLocal = true,
        Help = "Late dropout: epochs before dropout, token dropout and masking begin", Example = "2",
        Why = "With much of them a model from random weights stands still at first (Liu et al. 2023, arXiv:2303.01500)")]
    [Range(0.0, 1000), JsonPropertyName("cleanEpochs")]
    public double LateDropoutStart { get; init; }

    [Option("--seed", Group = OptionGroup.Data, Help = "Seed of split, order, dropout and fresh weights", Why = "The Trainer's")]
    public int Seed { get; init; } = 42;

    [Option("--precision", FormerName = "--dtype", Group = OptionGroup.Optimization,
        Help = "Dtype of the encoder's products; auto takes bf16-mixed where this machine computes it faster",
        Why = "Weights, their update, LayerNorms, softmax, the head and the loss are float32 either way")]
    [JsonPropertyName("compute")]
    public Precision Precision { get; init; } = Precision.Auto;

    [Option("--eval-every", Group = OptionGroup.Evaluation, Help = "Steps between evaluations", NullMeans = "after each epoch")]
    [Range(1, 100_000_000)]
    public int? EvaluateEvery { get; init; }

    [Option("--log-every", Group = OptionGroup.Output, IsLocal = true, Help = "Steps between the lines of a log")]
    [Range(1, 100_000_000)]
    public int LogEvery { get; init; } = 10;

    [Option("--early-stopping-patience", FormerName = "--patience", Group = OptionGroup.Evaluation,
        Help = "Stop after so many evaluations without a better accuracy", NullMeans = "train to the end", Example = "3")]
    [Range(1, 100_000_000), Requires(nameof(LoadBestModelAtEnd), true), JsonPropertyName("patience")]
    public int? EarlyStoppingPatience { get; init; }

    [Option("--no-load-best", FormerName = "--keep-last", Group = OptionGroup.Evaluation, SwitchValue = false,
        Help = "Keep the last weights, not those of the best evaluation", Why = "A small data set overfits")]
    [JsonPropertyName("keepBest")]
    public bool LoadBestModelAtEnd { get; init; } = true;

#pragma warning restore CS1591

    /// <summary>
    /// Defaults for a model that starts from random weights: a rate ten times higher, since there is nothing to forget,
    /// more epochs for the same reason, and reviews cut at 256 tokens, which holds nine of ten whole and halves the time.
    /// </summary>
    public static TrainingOptions FromScratch { get; } = new() { Epochs = 5, LearningRate = 5e-4, BatchSize = 32, MaxLength = 256 };

    private static TrainingOptions Defaults { get; } = new();

    /// <summary>Throws where an option is out of its range or against another one, naming it.</summary>
    /// <exception cref="TrainingException">It is.</exception>
    public void Validate()
    {
        if (OptionSet<TrainingOptions>.FirstProblem(this, Defaults) is { } problem) throw new TrainingException(problem);
    }

    /// <summary>Throws where an option does not fit the model that is trained.</summary>
    /// <exception cref="TrainingException">There are not as many class weights as labels, or more frozen layers than layers.</exception>
    public void ValidateFor(BertConfig config)
    {
        Validate();
        if (ClassWeights is { } weights && weights.Count != config.NumLabels)
            throw new TrainingException(
                $"There are {weights.Count} class weights, but the model has {config.NumLabels} labels; give one each, one star first.");
        if (FrozenLayers > config.NumHiddenLayers)
            throw new TrainingException(
                $"{nameof(FrozenLayers)} is {FrozenLayers}; it must be at most {config.NumHiddenLayers}, the model's layers.");
    }

    IEnumerable<ValidationResult> IValidatableObject.Validate(ValidationContext validationContext)
    {
        if (Optimizer == OptimizerKind.AdamW && LearningRate >= 1)
            yield return new("below 1, such as 5e-5, with", [nameof(LearningRate), nameof(Optimizer)]);
        if (OrdinalLabelSmoothing + LabelSmoothing >= 1)
            yield return new("below 1 together with", [nameof(OrdinalLabelSmoothing), nameof(LabelSmoothing)]);
        if (LateDropoutStart > Epochs) yield return new("at most", [nameof(LateDropoutStart), nameof(Epochs)]);
    }
}

/// <summary>How gradients become updates.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay; see <see cref="FlatAdamW"/>.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with momentum; see <see cref="FlatSgd"/>.</summary>
    Sgd,
}
