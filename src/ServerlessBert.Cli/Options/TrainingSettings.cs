using System.CommandLine;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training;

namespace ServerlessBert.Cli.Options;

/// <summary>The training options that <c>sbert train</c> takes; what is not given keeps the start's default.</summary>
internal sealed partial class TrainingSettings
{
    private readonly Option<double?> epochs = new("--epochs") { Description = "Passes over the data (3; with --preset 5)." };
    private readonly Option<int?> maxSteps = new("--max-steps") { Description = "Most optimizer steps." };
    private readonly Option<double?> maxHours = new("--max-hours") { Description = "Hours after which training ends with what it has." };
    private readonly Option<int?> maxRows = new("--max-rows") { Description = "Learn from so many rows, drawn with the seed." };
    private readonly Option<int?> maxEvaluationRows = new("--max-eval-rows") { Description = "Measure on so many rows, drawn with the seed." };
    private readonly Option<int?> batchSize = new("--batch-size") { Description = "Reviews a forward pass (16; with --preset 32)." };
    private readonly Option<int?> accumulate = new("--accumulate") { Description = "Batches whose gradients make one step: a larger batch in less memory (1)." };
    private readonly Option<int?> maxLength = new("--max-length") { Description = "Longest review in tokens; longer ones are cut (the model's maximum; with --preset 256)." };
    private readonly Option<bool> padToMax = new("--pad-to-max") { Description = "Pad every review to the longest length, as the tutorial does; slower." };
    private readonly Option<OptimizerKind?> optimizer = new("--optimizer") { Description = "adamw (the default) or sgd.", HelpName = "adamw|sgd" };
    private readonly Option<double?> momentum = new("--momentum") { Description = "SGD's momentum (0)." };
    private readonly Option<double?> learningRate = new("--learning-rate", "--lr") { Description = "The schedule's peak (5e-5; with --preset 5e-4)." };
    private readonly Option<ScheduleKind?> schedule = new("--schedule") { Description = "The rate after the warm-up: linear (the default), cosine or constant.", HelpName = "linear|cosine|constant" };
    private readonly Option<double?> warmupRatio = new("--warmup-ratio") { Description = "Share of the steps over which the rate climbs (0.1)." };
    private readonly Option<int?> warmupSteps = new("--warmup-steps") { Description = "The same as a number of steps." };
    private readonly Option<double?> weightDecay = new("--weight-decay") { Description = "Decay of weights, not of biases and LayerNorms (0.01)." };
    private readonly Option<double?> beta1 = new("--adam-beta1") { Description = "AdamW's decay of the mean gradient (0.9)." };
    private readonly Option<double?> beta2 = new("--adam-beta2") { Description = "AdamW's decay of the mean squared gradient (0.999)." };
    private readonly Option<double?> epsilon = new("--adam-epsilon") { Description = "AdamW's epsilon (1e-8)." };
    private readonly Option<double?> maxGradientNorm = new("--max-grad-norm") { Description = "Gradients of a larger norm are scaled down to it (1); 0 turns that off." };
    private readonly Option<double?> layerDecay = new("--layer-decay") { Description = "A layer's learning rate as a share of the next higher one's (1), such as 0.95." };
    private readonly Option<double?> averageDecay = new("--average-decay") { Description = "Measure and keep a moving average of the weights, which keeps so much of itself a step, such as 0.995 (0, off)." };
    private readonly Option<bool> freezeEmbeddings = new("--freeze-embeddings") { Description = "Leave the embeddings as they are." };
    private readonly Option<int?> freezeLayers = new("--freeze-layers") { Description = "Leave so many layers, from the input, as they are (0)." };
    private readonly Option<double?> labelSmoothing = new("--label-smoothing") { Description = "Share of a rating's probability that is spread over all ratings (0)." };
    private readonly Option<string?> classWeights = new("--class-weights") { Description = "The loss's weight of each rating, one star first (1,1,2,1,1), or balanced by their rows." };
    private readonly Option<double?> hiddenDropout = new("--hidden-dropout") { Description = "Dropout of hidden states (the model's own)." };
    private readonly Option<double?> attentionDropout = new("--attention-dropout") { Description = "Dropout of attention (the model's own)." };
    private readonly Option<double?> classifierDropout = new("--classifier-dropout") { Description = "Dropout before the classifier (the model's own)." };
    private readonly Option<double?> neighbourSmoothing = new("--neighbour-smoothing") { Description = "Share of a rating's probability that the ratings beside it get (0)." };
    private readonly Option<double?> wordDropout = new("--word-dropout") { Description = "Share of a review's tokens left out, others in each pass (0)." };
    private readonly Option<double?> tokenMasking = new("--token-masking") { Description = "Share of a review's tokens masked, others in each pass (0)." };
    private readonly Option<double?> teacherShare = new("--teacher-share") { Description = "With --teacher: the teachers' share of what is learned of a row, beside its rating (0.7)." };
    private readonly Option<int?> teacherViews = new("--teacher-views") { Description = "With --teacher: how often each row is learned a pass, with other words left out each time, as the teachers see it (1)." };
    private readonly Option<double?> cleanEpochs = new("--clean-epochs") { Description = "Passes at first without dropout, word dropout and masking (0)." };
    private readonly Option<int?> evaluateEvery = new("--eval-every") { Description = "Steps between evaluations (each epoch)." };
    private readonly Option<int?> logEvery = new("--log-every") { Description = "Steps between the lines of a log (10)." };
    private readonly Option<int?> patience = new("--patience") { Description = "Stop after so many evaluations without a better accuracy." };
    private readonly Option<bool> keepLast = new("--keep-last") { Description = "Keep the last weights, not those of the best evaluation." };
    private readonly Option<InferenceDtype?> dtype = new("--dtype") { Description = "Number type of the encoder's products: auto (the default), float32 or bfloat16.", HelpName = "auto|float32|bfloat16" };
    private readonly Option<int?> seed = new("--seed") { Description = "Seed of split, order, dropout and fresh weights (42)." };

    /// <summary>
    /// What belongs to a training here: the job's own settings limit its hours, its log is its own, AdamW's constants are
    /// what they are, and the job starts from models that the noise for small ones of random weights is not for.
    /// </summary>
    private Option[] LocalOnly => [maxHours, logEvery, beta1, beta2, epsilon, neighbourSmoothing, wordDropout, tokenMasking, teacherShare, teacherViews, cleanEpochs];

    private Option[] Queued =>
    [
        epochs, maxSteps, maxRows, maxEvaluationRows, batchSize, accumulate, maxLength, padToMax, optimizer, momentum, learningRate, schedule, warmupRatio, warmupSteps,
        weightDecay, maxGradientNorm, layerDecay, averageDecay, freezeEmbeddings, freezeLayers, labelSmoothing, classWeights, hiddenDropout, attentionDropout, classifierDropout,
        evaluateEvery, patience, keepLast, dtype, seed,
    ];

    public void AddTo(Command command)
    {
        foreach (Option option in Queued.Concat(LocalOnly)) command.Add(option);
    }
}
