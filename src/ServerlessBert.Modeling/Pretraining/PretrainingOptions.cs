using ServerlessBert.Modeling.Inference;

namespace ServerlessBert.Modeling.Pretraining;

/// <summary>Every setting of a pretraining as a masked language model, with its default and the reason for it.</summary>
public sealed record PretrainingOptions
{
    /// <summary>Passes over the texts: 3 for a model that knows its language; its masks are new in each pass.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Most optimizer steps, or null for as many as <see cref="Epochs"/> need.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Pieces of text a step: 32, as in further pretraining for Yelp (Sun et al. 2019, arXiv:1905.05583).</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Tokens of a piece, [CLS] included: 128, as there. Texts are packed one after the other, so nothing is padding.</summary>
    public int SequenceLength { get; init; } = 128;

    /// <summary>Share of tokens to predict: 15 %, BERT's.</summary>
    public double MaskingRate { get; init; } = 0.15;

    /// <summary>The schedule's peak: 5e-5, as in Sun et al. (2019) for a model that is pretrained already.</summary>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>Share of the steps over which the learning rate climbs from 0; after it, it falls to 0 in a line.</summary>
    public double WarmupRatio { get; init; } = 0.1;

    /// <summary>AdamW's decay of weights; biases and LayerNorms are never decayed.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>
    /// Dropout in the encoder: none. New masks in each pass keep a model from learning texts by heart, and without dropout
    /// the task is learned better (ALBERT, Lan et al. 2020, arXiv:1909.11942, section 4.8) and faster.
    /// </summary>
    public double Dropout { get; init; }

    /// <summary>Largest norm of the whole gradient; larger ones are scaled down. 0 turns clipping off.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Seed of the order, the masks and the fresh parts: 42, as in the Trainer.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>The number type of products: auto takes bfloat16 where this machine computes it faster; weights and loss are float32 either way.</summary>
    public InferenceDtype Compute { get; init; } = InferenceDtype.Auto;

    /// <summary>
    /// Defaults for random weights: a rate that a small model takes well and that a pretrained one would lose its knowledge
    /// by, and twenty passes, since there is everything to learn.
    /// </summary>
    public static PretrainingOptions FromScratch { get; } = new() { Epochs = 20, LearningRate = 2e-3, WarmupRatio = 0.06 };

    /// <summary>Throws where a setting makes no sense, naming it.</summary>
    /// <exception cref="TrainingException">A setting is out of its range.</exception>
    public void Validate()
    {
        Require(Epochs is > 0 and <= 10_000, nameof(Epochs), Epochs, "above 0 and at most 10,000");
        Require(MaxSteps is null or > 0, nameof(MaxSteps), MaxSteps, "above 0");
        Require(BatchSize is > 0 and <= 4096, nameof(BatchSize), BatchSize, "from 1 to 4,096");
        Require(SequenceLength >= 3, nameof(SequenceLength), SequenceLength, "at least 3: [CLS] and two tokens");
        Require(MaskingRate is > 0 and < 1, nameof(MaskingRate), MaskingRate, "above 0 and below 1, such as 0.15");
        Require(LearningRate is > 0 and < 1, nameof(LearningRate), LearningRate, "above 0 and below 1, such as 5e-5");
        Require(WarmupRatio is >= 0 and < 1, nameof(WarmupRatio), WarmupRatio, "from 0 to below 1");
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay, "from 0 to below 1");
        Require(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "from 0 to below 1");
        Require(MaxGradientNorm >= 0, nameof(MaxGradientNorm), MaxGradientNorm, "0 (no clipping) or above");
    }

    private static void Require(bool holds, string name, object? value, string range)
    {
        if (!holds) throw new TrainingException(FormattableString.Invariant($"{name} is {value}; it must be {range}."));
    }
}
