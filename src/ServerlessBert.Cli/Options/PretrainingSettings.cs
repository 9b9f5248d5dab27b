using System.CommandLine;
using ServerlessBert.Modeling.Pretraining;

namespace ServerlessBert.Cli.Options;

/// <summary>The pretraining options that <c>sbert pretrain</c> takes; what is not given keeps the start's default.</summary>
internal sealed class PretrainingSettings
{
    private readonly Option<double?> epochs = new("--epochs") { Description = "Passes over the texts." };
    private readonly Option<int?> maxSteps = new("--max-steps") { Description = "Most optimizer steps." };
    private readonly Option<int?> batchSize = new("--batch-size") { Description = "Pieces of text a step." };
    private readonly Option<int?> sequenceLength = new("--sequence-length") { Description = "Tokens of a piece." };
    private readonly Option<double?> maskingRate = new("--masking-rate") { Description = "Share of tokens to predict, such as 0.15." };
    private readonly Option<double?> learningRate = new("--learning-rate", "--lr") { Description = "The schedule's peak, such as 5e-5." };
    private readonly Option<double?> warmupRatio = new("--warmup-ratio") { Description = "Share of the steps over which the rate climbs." };
    private readonly Option<double?> weightDecay = new("--weight-decay") { Description = "AdamW's decay of weights (not of biases and LayerNorms)." };
    private readonly Option<double?> dropout = new("--dropout") { Description = "Share that the encoder drops while it is pretrained." };
    private readonly Option<int?> seed = new("--seed") { Description = "Seed of order, masks and fresh weights." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { epochs, maxSteps, batchSize, sequenceLength, maskingRate, learningRate, warmupRatio, weightDecay, dropout, seed })
            command.Add(option);
    }

    /// <summary>The defaults with what was given in their place.</summary>
    public PretrainingOptions Over(PretrainingOptions defaults, ParseResult parsed) => defaults with
    {
        Epochs = parsed.GetValue(epochs) ?? defaults.Epochs,
        MaxSteps = parsed.GetValue(maxSteps) ?? defaults.MaxSteps,
        BatchSize = parsed.GetValue(batchSize) ?? defaults.BatchSize,
        SequenceLength = parsed.GetValue(sequenceLength) ?? defaults.SequenceLength,
        MaskingRate = parsed.GetValue(maskingRate) ?? defaults.MaskingRate,
        LearningRate = parsed.GetValue(learningRate) ?? defaults.LearningRate,
        WarmupRatio = parsed.GetValue(warmupRatio) ?? defaults.WarmupRatio,
        WeightDecay = parsed.GetValue(weightDecay) ?? defaults.WeightDecay,
        Dropout = parsed.GetValue(dropout) ?? defaults.Dropout,
        Seed = parsed.GetValue(seed) ?? defaults.Seed,
    };
}
