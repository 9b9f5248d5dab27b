using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Modeling.Pretraining;

/// <summary>
/// Every setting of a pretraining as a masked language model; see <see cref="TrainingOptions"/> for what its attributes do.
/// </summary>
public sealed record PretrainingOptions
{
#pragma warning disable CS1591 // What an option does is said once, by its attribute.

    [Option("--epochs", Group = OptionGroup.Data, Help = "Epochs over the texts", Example = "3",
        Why = "Enough for a model that knows its language; masks are new in each epoch")]
    [Range(0.0, 10_000, MinimumIsExclusive = true)]
    public double Epochs { get; init; } = 3;

    [Option("--max-steps", Group = OptionGroup.Data, Help = "Optimizer steps at most", NullMeans = "as many as the epochs need")]
    [Range(1, 100_000_000)]
    public int? MaxSteps { get; init; }

    [Option("--batch-size", Group = OptionGroup.Data, Help = "Sequences per step",
        Why = "As in further pretraining for Yelp (Sun et al. 2019, arXiv:1905.05583)")]
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 32;

    [Option("--sequence-length", Group = OptionGroup.Data, Help = "Tokens of a sequence, [CLS] included",
        Why = "As there; texts are packed one after the other, so nothing is padding")]
    [Range(3, 8192)]
    public int SequenceLength { get; init; } = 128;

    [Option("--masking-rate", Group = OptionGroup.Data, Help = "Share of tokens to predict", Example = "0.15", Why = "BERT's")]
    [Range(0.0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double MaskingRate { get; init; } = 0.15;

    [Option("--learning-rate", "--lr", Group = OptionGroup.Optimization, Help = "Peak of the learning rate", Example = "5e-5",
        Why = "As in Sun et al. (2019) for a model that is pretrained already, which would lose its knowledge by more")]
    [Range(0.0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double LearningRate { get; init; } = 5e-5;

    [Option("--warmup-ratio", Group = OptionGroup.Optimization,
        Help = "Share of the steps over which the learning rate rises from 0, before it falls to 0 in a line", Example = "0.1")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double WarmupRatio { get; init; } = 0.1;

    [Option("--weight-decay", Group = OptionGroup.Optimization, Help = "AdamW's decay of the weights, but not of biases and LayerNorms",
        Example = "0.01")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double WeightDecay { get; init; } = 0.01;

    [Option("--dropout", Group = OptionGroup.Regularization, Help = "Dropout in the encoder while it is pretrained", Example = "0.1",
        Why = "New masks in each epoch keep a model from overfitting, and without dropout it learns more (ALBERT, arXiv:1909.11942)")]
    [Range(0.0, 1, MaximumIsExclusive = true)]
    public double Dropout { get; init; }

    [Option("--max-grad-norm", Group = OptionGroup.Optimization, Help = "Clip gradients to this norm; 0 turns clipping off")]
    [Range(0.0, double.MaxValue)]
    public double MaxGradientNorm { get; init; } = 1;

    [Option("--seed", Group = OptionGroup.Data, Help = "Seed of order, masks and fresh weights", Why = "The Trainer's")]
    public int Seed { get; init; } = 42;

    [Option("--precision", Group = OptionGroup.Optimization,
        Help = "Dtype of products; auto takes bf16-mixed where this machine computes it faster",
        Why = "Weights and loss are float32 either way")]
    [JsonPropertyName("compute")]
    public Precision Precision { get; init; } = Precision.Auto;

#pragma warning restore CS1591

    /// <summary>
    /// Defaults for random weights: a rate that a small model takes well and that a pretrained one would lose its knowledge
    /// by, and twenty epochs, since there is everything to learn.
    /// </summary>
    public static PretrainingOptions FromScratch { get; } = new() { Epochs = 20, LearningRate = 2e-3, WarmupRatio = 0.06 };

    private static PretrainingOptions Defaults { get; } = new();

    /// <summary>Throws where an option is out of its range, naming it.</summary>
    /// <exception cref="TrainingException">It is.</exception>
    public void Validate()
    {
        if (OptionSet<PretrainingOptions>.FirstProblem(this, Defaults) is { } problem) throw new TrainingException(problem);
    }
}
