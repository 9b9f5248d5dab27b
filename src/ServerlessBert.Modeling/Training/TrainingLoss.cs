using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>Cross-entropy in float32, with label smoothing, class weights and teachers' probabilities where they are asked for.</summary>
internal sealed class TrainingLoss : IDisposable
{
    private readonly double[]? weightOf;
    private readonly Tensor? weights;
    private readonly double smoothing, ordinalSmoothing, distillationWeight;
    private readonly Device device;

    /// <summary>The loss that the options ask for.</summary>
    /// <param name="options">Sound options.</param>
    /// <param name="labels">The labels to learn from, by whose counts balanced weights go.</param>
    /// <param name="labelCount">How many labels the model has.</param>
    /// <param name="device">Where the logits are.</param>
    public TrainingLoss(TrainingOptions options, IReadOnlyList<int> labels, int labelCount, Device device)
    {
        (smoothing, ordinalSmoothing, distillationWeight, this.device) =
            (options.LabelSmoothing, options.OrdinalLabelSmoothing, options.DistillationWeight, device);
        weightOf = options.BalancedClasses ? Balanced(labels, labelCount) : options.ClassWeights?.ToArray();
        if (weightOf is not null) weights = tensor(weightOf, float32, device).DetachFromDisposeScope();
    }

    /// <summary>
    /// The sum of the rows' weighted losses, a scalar: logits [batch, labels] of any number type, labels [batch], and what
    /// teachers make of the rows, [batch][labels], null where there are none.
    /// </summary>
    public Tensor SumOf(Tensor logits, IReadOnlyList<int> labels, IReadOnlyList<IReadOnlyList<float>?>? taught = null)
    {
        if (ordinalSmoothing > 0 || taught is not null) return SumOfSoft(logits, labels, taught);
        Tensor actual = tensor(labels.Select(label => (long)label).ToArray(), device: device); // [batch]
        // []
        return nn.functional.cross_entropy(logits.to(float32), actual, weights, reduction: nn.Reduction.Sum, label_smoothing: smoothing);
    }

    private Tensor SumOfSoft(Tensor logits, IReadOnlyList<int> labels, IReadOnlyList<IReadOnlyList<float>?>? taught)
    {
        int count = (int)logits.size(1);
        float[] targets =
            [.. labels.SelectMany(
            (label, row) => SoftTarget(label, count, taught?[row]).Select(share => (float)(share * (weightOf?[label] ?? 1))))];
        return -(tensor(targets, [labels.Count, count], device: device) * logits.to(float32).log_softmax(-1)).sum(); // []
    }

    /// <summary>What the model is told of a row with this label: a probability for each label.</summary>
    internal double[] SoftTarget(int label, int labels, IReadOnlyList<float>? taught = null)
    {
        var target = new double[labels];
        Array.Fill(target, smoothing / labels);
        target[label] += 1 - smoothing - ordinalSmoothing;
        int[] beside = [.. new[] { label - 1, label + 1 }.Where(other => other >= 0 && other < labels)];
        foreach (int other in beside) target[other] += ordinalSmoothing / beside.Length;
        return taught is null ? target
            : [.. target.Zip(taught, (share, teachers) => (1 - distillationWeight) * share + distillationWeight * teachers)];
    }

    /// <summary>What a sum over these labels is divided by for the weighted mean, as torch's mean reduction has it.</summary>
    public double WeightOf(IEnumerable<int> labels) => labels.Sum(label => weightOf?[label] ?? 1);

    /// <summary>Weights in inverse proportion to the labels' rows, whose mean over the rows is 1; a label without rows keeps 1.</summary>
    internal static double[] Balanced(IReadOnlyList<int> labels, int labelCount)
    {
        int[] rows = [.. Enumerable.Range(0, labelCount).Select(label => labels.Count(each => each == label))];
        int present = rows.Count(count => count > 0);
        return [.. rows.Select(count => count == 0 ? 1 : (double)labels.Count / (present * count))];
    }

    /// <inheritdoc/>
    public void Dispose() => weights?.Dispose();
}
