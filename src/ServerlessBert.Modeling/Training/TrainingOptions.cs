namespace ServerlessBert.Modeling;

/// <summary>Every setting of a fine-tuning, with its default and the reason for it.</summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the data: 3, as in BERT's paper and the Trainer.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Most optimizer steps, or null for as many as <see cref="Epochs"/> need.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Reviews a step: 16, the smaller of the two that BERT's paper tried.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>The schedule's peak: 5e-5, the Trainer's default for a pretrained model.</summary>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>Share of the steps over which the learning rate climbs from 0: BERT warms up over 10 %.</summary>
    public double WarmupRatio { get; init; } = 0.1;

    /// <summary>AdamW's decoupled weight decay: 0.01 as in BERT; biases and LayerNorms are never decayed.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>AdamW's decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW's epsilon: 1e-8, as in the Trainer (BERT's own code had 1e-6).</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest norm of the whole gradient; larger ones are scaled down. 0 turns clipping off.</summary>
    public double MaxGradientNorm { get; init; } = 1.0;

    /// <summary>Longest review in tokens, special tokens included; null takes the model's maximum.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Seed of the split, of the order, of dropout and of fresh weights: 42, as in the Trainer.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>
    /// The number type of the encoder's products: auto takes bfloat16 where this machine computes it faster. Weights,
    /// their update, LayerNorms, the head and the loss are float32 either way.
    /// </summary>
    public InferenceDtype Compute { get; init; } = InferenceDtype.Auto;

    /// <summary>Whether the weights of the best evaluation are kept at the end, not the last ones: a small data set overfits.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>
    /// Defaults for a model that starts from random weights: a rate ten times higher, since there is nothing to forget,
    /// more passes for the same reason, and reviews cut at 256 tokens, which holds nine of ten whole and halves the time.
    /// </summary>
    public static TrainingOptions FromScratch { get; } = new() { Epochs = 5, LearningRate = 5e-4, BatchSize = 32, MaxLength = 256 };

    /// <summary>Throws where a setting makes no sense, naming it.</summary>
    /// <exception cref="TrainingException">A setting is out of its range.</exception>
    public void Validate()
    {
        Require(Epochs is > 0 and <= 1000, nameof(Epochs), Epochs, "above 0 and at most 1,000");
        Require(MaxSteps is null or > 0, nameof(MaxSteps), MaxSteps, "above 0");
        Require(BatchSize is > 0 and <= 4096, nameof(BatchSize), BatchSize, "from 1 to 4,096");
        Require(LearningRate is > 0 and < 1, nameof(LearningRate), LearningRate, "above 0 and below 1, such as 5e-5");
        Require(WarmupRatio is >= 0 and < 1, nameof(WarmupRatio), WarmupRatio, "from 0 to below 1");
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay, "from 0 to below 1");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 to below 1");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(MaxGradientNorm >= 0, nameof(MaxGradientNorm), MaxGradientNorm, "0 (no clipping) or above");
        Require(MaxLength is null or >= 3, nameof(MaxLength), MaxLength, "at least 3: [CLS], a token and [SEP]");
    }

    private static void Require(bool holds, string name, object? value, string range)
    {
        if (!holds) throw new TrainingException(FormattableString.Invariant($"{name} is {value}; it must be {range}."));
    }
}
