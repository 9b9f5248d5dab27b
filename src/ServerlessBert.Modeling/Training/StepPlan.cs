using ServerlessBert.Modeling.Optimizers;

namespace ServerlessBert.Modeling.Training;

/// <summary>
/// What every step of a training learns from and how fast: a function of the data, the options and the step alone, so that a
/// training that goes on from a step needs to know nothing but its number.
/// </summary>
internal sealed class StepPlan
{
    private readonly int[] lengths;
    private readonly TrainingOptions options;
    private readonly LearningRateSchedule schedule;

    /// <summary>Plans a training.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="options">Sound options.</param>
    public StepPlan(int[] lengths, TrainingOptions options)
    {
        (this.lengths, this.options) = (lengths, options);
        int batches = Quotient(lengths.Length, options.BatchSize);
        StepsAnEpoch = Quotient(batches, options.GradientAccumulation);
        TotalSteps = Math.Min(options.MaxSteps ?? int.MaxValue, (int)Math.Min(int.MaxValue, Math.Ceiling(options.Epochs * StepsAnEpoch)));
        int warmup = options.WarmupSteps ?? (int)Math.Ceiling(options.WarmupRatio * TotalSteps);
        schedule = new LearningRateSchedule(options.Schedule, TotalSteps, warmup);
    }

    /// <summary>Optimizer steps of one pass over the data.</summary>
    public int StepsAnEpoch { get; }

    /// <summary>Optimizer steps in all.</summary>
    public int TotalSteps { get; }

    /// <summary>The steps after the first <paramref name="done"/>.</summary>
    public IEnumerable<PlannedStep> After(int done)
    {
        for (int epoch = done / StepsAnEpoch; ; epoch++)
        {
            int[][][] steps = [.. Batches(epoch).Chunk(options.GradientAccumulation)];
            for (int inEpoch = epoch == done / StepsAnEpoch ? done % StepsAnEpoch : 0; inEpoch < steps.Length; inEpoch++)
            {
                int step = epoch * StepsAnEpoch + inEpoch;
                if (step >= TotalSteps) yield break;
                bool isLast = step + 1 == TotalSteps;
                yield return new PlannedStep(step + 1, options.LearningRate * schedule.FactorAt(step), steps[inEpoch],
                    isLast || (options.EvaluateEvery is { } every ? (step + 1) % every == 0 : inEpoch + 1 == steps.Length),
                    IsClean: step < options.LateDropoutStart * StepsAnEpoch);
            }
        }
    }

    private IReadOnlyList<int[]> Batches(int epoch)
    {
        // An odd factor: seeds and epochs of like size do not meet.
        var random = new Random(unchecked(options.Seed * 1_000_003 + epoch));
        if (!options.PadToMax) return LengthGroupedBatches.Of(lengths, options.BatchSize, random);
        int[] order = [.. Enumerable.Range(0, lengths.Length)];
        random.Shuffle(order);
        return [.. order.Chunk(options.BatchSize)];
    }

    private static int Quotient(int dividend, int divisor) => (dividend + divisor - 1) / divisor;
}

/// <summary>A step as planned.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Batches">Its batches, as indices of rows; their gradients are summed.</param>
/// <param name="IsEvaluated">Whether the held-out rows are measured after it.</param>
/// <param name="IsClean">Whether it learns without dropout and noise.</param>
internal readonly record struct PlannedStep(int Step, double LearningRate, int[][] Batches, bool IsEvaluated, bool IsClean);

/// <summary>
/// Random batches of reviews of like length: shuffled, cut into groups of many batches, sorted by length inside a
/// group, and the batches shuffled again (the Trainer's group_by_length). Every review stands in one batch.
/// </summary>
public static class LengthGroupedBatches
{
    // Enough for batches of nearly one length, few enough that an epoch's order stays random.
    private const int BatchesInGroup = 50;

    /// <summary>The batches of one epoch, as indices into <paramref name="lengths"/>.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="batchSize">Reviews a batch; the last may have fewer.</param>
    /// <param name="random">Source of the order: the same seed gives the same batches.</param>
    public static IReadOnlyList<int[]> Of(IReadOnlyList<int> lengths, int batchSize, Random random)
    {
        int[] order = [.. Enumerable.Range(0, lengths.Count)];
        random.Shuffle(order);
        int[][] batches = [.. order
            .Chunk(batchSize * BatchesInGroup)
            .SelectMany(group => group.OrderByDescending(index => lengths[index]).ThenBy(index => index).Chunk(batchSize))];
        random.Shuffle(batches);
        return batches;
    }
}
