using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Training.Checkpointing;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>
/// Fine-tunes a checkpoint's model in place: cross-entropy on labelled reviews in batches of like length, as
/// <see cref="TrainingOptions"/> say. The same seed, data and number of threads give the same weights, also where the
/// training is cut and goes on from a checkpoint.
/// </summary>
public sealed class FineTuner
{
    private readonly Checkpoint checkpoint;
    private readonly TrainingOptions options;
    private readonly Device device;
    private readonly int maxLength;

    /// <summary>Prepares to train.</summary>
    /// <param name="checkpoint">What is trained, in place; it is moved to <paramref name="device"/>.</param>
    /// <param name="options">Validated here.</param>
    /// <param name="device">cpu or cuda; null takes the CPU.</param>
    /// <exception cref="TrainingException">An option is out of its range, or does not fit the model.</exception>
    public FineTuner(Checkpoint checkpoint, TrainingOptions options, Device? device = null)
    {
        options.ValidateFor(checkpoint.Config);
        this.checkpoint = checkpoint;
        this.options = options;
        this.device = device ?? CPU;
        maxLength = Math.Min(options.MaxLength ?? int.MaxValue,
            Math.Min(checkpoint.Config.MaxPositionEmbeddings, checkpoint.Tokenizer.Options.ModelMaxLength));
    }

    /// <summary>Trains, and measures on the held-out rows as the options say.</summary>
    /// <param name="train">Rows to learn from; at least one.</param>
    /// <param name="evaluation">Rows to measure on; may be empty.</param>
    /// <param name="progress">Told after every step and every evaluation.</param>
    /// <param name="checkpoints">Where it puts down what it needs to go on, and goes on from; null for nowhere.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned stays.</param>
    /// <exception cref="TrainingException">
    /// There is nothing to learn from, a label is out of range, the loss or gradient is no number, memory runs out, or a
    /// checkpoint cannot be written.
    /// </exception>
    public TrainingResult Train(
        IReadOnlyList<LabelledReview> train,
        IReadOnlyList<LabelledReview> evaluation,
        IProgress<TrainingProgress>? progress = null,
        TrainingCheckpoints? checkpoints = null,
        CancellationToken cancellationToken = default)
    {
        train = RowSubset.Of(train, options.MaxRows, options.Seed);
        evaluation = RowSubset.Of(evaluation, options.MaxEvaluationRows, options.Seed);
        Dataset.Check(train, evaluation, checkpoint.Config.NumLabels, options);
        var rows = EncodedReviews.Of(train, checkpoint.Tokenizer, maxLength);
        var heldOut = EncodedReviews.Of(evaluation, checkpoint.Tokenizer, maxLength);
        CheckpointStore? store = checkpoints is null ? null
            : new CheckpointStore(checkpoints, TrainingIdentity.Of(rows, heldOut, options, checkpoint.Model));
        try
        {
            PrepareModel();
            using var run = new TrainingLoop(checkpoint, rows, heldOut, options, device, options.PadToMax ? maxLength : 0, store);
            return run.ToItsEnd(progress, cancellationToken);
        }
        finally
        {
            ReleaseModel();
        }
    }

    private void PrepareModel()
    {
        BertForSequenceClassification model = checkpoint.Model;
        model.to(device);
        foreach (var (name, parameter) in model.named_parameters())
            parameter.requires_grad = !IsFrozen(LayerwiseDecay.DepthOf(name, model.Config.NumHiddenLayers));
    }

    // Layers count from 1; depth 0 are the embeddings, and pooler and classifier stand above all layers.
    private bool IsFrozen(int depth) => depth == 0 ? options.FreezeEmbeddings : depth <= options.FrozenLayers;

    private void ReleaseModel()
    {
        BertForSequenceClassification model = checkpoint.Model;
        foreach (var (_, parameter) in model.named_parameters()) parameter.requires_grad = true;
        model.SetDropout();
        model.ComputeDtype = null;
        model.eval();
    }
}
