using System.CommandLine;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Messages;

namespace ServerlessBert.Cli.Commands;

/// <summary>The training options that <c>sbert train</c> takes; what is not given keeps the start's default.</summary>
internal sealed class TrainingSettings
{
    private readonly Option<double?> epochs = new("--epochs") { Description = "Passes over the data." };
    private readonly Option<int?> batchSize = new("--batch-size") { Description = "Reviews a step." };
    private readonly Option<double?> learningRate = new("--learning-rate", "--lr") { Description = "The schedule's peak, such as 5e-5." };
    private readonly Option<double?> warmupRatio = new("--warmup-ratio") { Description = "Share of the steps over which the rate climbs." };
    private readonly Option<double?> weightDecay = new("--weight-decay") { Description = "AdamW's decay of weights (not of biases and LayerNorms)." };
    private readonly Option<int?> maxLength = new("--max-length") { Description = "Longest review in tokens; longer ones are cut." };
    private readonly Option<int?> maxSteps = new("--max-steps") { Description = "Most optimizer steps." };
    private readonly Option<int?> seed = new("--seed") { Description = "Seed of split, order, dropout and fresh weights." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { epochs, batchSize, learningRate, warmupRatio, weightDecay, maxLength, maxSteps, seed })
            command.Add(option);
    }

    /// <summary>What was given, as a request to the training job.</summary>
    public TrainingRequest Request(ParseResult parsed) => new()
    {
        Epochs = parsed.GetValue(epochs),
        BatchSize = parsed.GetValue(batchSize),
        LearningRate = parsed.GetValue(learningRate),
        MaxLength = parsed.GetValue(maxLength),
        MaxSteps = parsed.GetValue(maxSteps),
        Seed = parsed.GetValue(seed),
        RequestedBy = "sbert",
    };

    /// <summary>The defaults with what was given in their place.</summary>
    public TrainingOptions Over(TrainingOptions defaults, ParseResult parsed) => defaults with
    {
        Epochs = parsed.GetValue(epochs) ?? defaults.Epochs,
        BatchSize = parsed.GetValue(batchSize) ?? defaults.BatchSize,
        LearningRate = parsed.GetValue(learningRate) ?? defaults.LearningRate,
        WarmupRatio = parsed.GetValue(warmupRatio) ?? defaults.WarmupRatio,
        WeightDecay = parsed.GetValue(weightDecay) ?? defaults.WeightDecay,
        MaxLength = parsed.GetValue(maxLength) ?? defaults.MaxLength,
        MaxSteps = parsed.GetValue(maxSteps) ?? defaults.MaxSteps,
        Seed = parsed.GetValue(seed) ?? defaults.Seed,
    };
}
