using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// Fine-tunes a checkpoint's model in place: AdamW without decay on biases and LayerNorms, linear schedule with warm-up,
/// gradient clipping, length-grouped batches padded to their own longest row. The same seed, data and number of threads
/// give the same weights.
/// </summary>
public sealed class FineTuner
{
    private readonly BertCheckpoint checkpoint;
    private readonly TrainingOptions options;
    private readonly Device device;
    private readonly int maxLength;

    /// <summary>Prepares to train.</summary>
    /// <param name="checkpoint">What is trained, in place; it is moved to <paramref name="device"/>.</param>
    /// <param name="options">Validated here.</param>
    /// <param name="device">cpu or cuda; null takes the CPU.</param>
    /// <exception cref="TrainingException">An option is out of its range.</exception>
    public FineTuner(BertCheckpoint checkpoint, TrainingOptions options, Device? device = null)
    {
        options.Validate();
        this.checkpoint = checkpoint;
        this.options = options;
        this.device = device ?? CPU;
        maxLength = Math.Min(options.MaxLength ?? int.MaxValue,
            Math.Min(checkpoint.Config.MaxPositionEmbeddings, checkpoint.Tokenizer.Options.ModelMaxLength));
    }

    /// <summary>Trains and evaluates after each epoch.</summary>
    /// <param name="train">Rows to learn from; at least one.</param>
    /// <param name="evaluation">Rows to measure on; may be empty.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned stays.</param>
    /// <exception cref="TrainingException">There is nothing to learn from, a label is out of range, or the loss is no number.</exception>
    public TrainingResult Train(
        IReadOnlyList<LabelledReview> train,
        IReadOnlyList<LabelledReview> evaluation,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        CheckLabels(train, evaluation);
        manual_seed(options.Seed);
        if (device.type == DeviceType.CUDA) cuda.manual_seed_all(options.Seed);
        BertForSequenceClassification model = checkpoint.Model;
        model.to(device);
        model.ComputeDtype = options.Compute.On(device);
        model.SeedDropout(options.Seed);

        int[][] rows = Encode(train), evaluationRows = Encode(evaluation);
        int[] lengths = [.. rows.Select(row => row.Length)];
        int stepsAnEpoch = (rows.Length + options.BatchSize - 1) / options.BatchSize;
        int totalSteps = Math.Min(options.MaxSteps ?? int.MaxValue, (int)Math.Ceiling(options.Epochs * stepsAnEpoch));
        var schedule = new LearningRateSchedule(ScheduleKind.Linear, totalSteps, (int)Math.Ceiling(options.WarmupRatio * totalSteps));
        using FlatOptimizer optimizer = new FlatAdamW(
            ParameterGroup.Of(model.named_parameters(), options.WeightDecay),
            new AdamWSettings { Beta1 = options.Beta1, Beta2 = options.Beta2, Epsilon = options.Epsilon });
        using var best = new BestWeights();

        var random = new Random(options.Seed);
        var recentLosses = new Queue<double>();
        long tokens = 0, paddedTokens = 0, start = Stopwatch.GetTimestamp();
        int step = 0;
        for (int epoch = 0; step < totalSteps && !cancellationToken.IsCancellationRequested; epoch++)
        {
            model.train();
            foreach (int[] indices in LengthGroupedBatches.Of(lengths, options.BatchSize, random))
            {
                if (step == totalSteps || cancellationToken.IsCancellationRequested) break;
                double learningRate = options.LearningRate * schedule.FactorAt(step);
                using var batch = PaddedBatch.Of([.. indices.Select(index => rows[index])], checkpoint.Tokenizer.PaddingId, device);
                double loss = Step(model, optimizer, learningRate, batch, [.. indices.Select(index => (long)train[index].Label)]);
                step++;
                if (!double.IsFinite(loss))
                    throw new TrainingException($"The loss became {loss} at step {step} of {totalSteps}; try a learning rate below {options.LearningRate:g}.");

                tokens += batch.Tokens;
                paddedTokens += batch.InputIds.numel();
                recentLosses.Enqueue(loss);
                if (recentLosses.Count > 100) recentLosses.Dequeue();
                progress?.Report(new TrainingProgress(step, totalSteps, (double)step / stepsAnEpoch, loss, learningRate,
                    tokens, paddedTokens, Stopwatch.GetElapsedTime(start)));
            }
            if (evaluation.Count == 0) continue;
            EvaluationMetrics metrics = Evaluate(evaluationRows, evaluation);
            best.Offer(step, metrics, options.KeepBest ? model : null);
            progress?.Report(new TrainingProgress(step, totalSteps, (double)step / stepsAnEpoch, recentLosses.DefaultIfEmpty().Average(), 0,
                tokens, paddedTokens, Stopwatch.GetElapsedTime(start), metrics));
        }

        if (options.KeepBest) best.Restore(model);
        model.ComputeDtype = null;
        model.eval();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new TrainingResult
        {
            Steps = step,
            IsCancelled = step < totalSteps,
            Seconds = seconds,
            TokensPerSecond = tokens / seconds,
            PaddingShare = paddedTokens == 0 ? 0 : 1 - (double)tokens / paddedTokens,
            FinalLoss = recentLosses.DefaultIfEmpty().Average(),
            Evaluation = best.Metrics,
            KeptStep = best.Metrics is null ? step : best.Step,
        };
    }

    private double Step(BertForSequenceClassification model, FlatOptimizer optimizer, double learningRate, PaddedBatch batch, long[] labels)
    {
        using var scope = NewDisposeScope();
        optimizer.ZeroGradients();
        Tensor logits = model.call(batch.InputIds, batch.AttentionMask, null); // [batch, labels]
        Tensor loss = nn.functional.cross_entropy(logits.to(float32), tensor(labels, device: device)); // []
        loss.backward();
        if (options.MaxGradientNorm > 0) optimizer.ClipGradients(options.MaxGradientNorm);
        optimizer.Step(learningRate);
        return loss.ToDouble();
    }

    private EvaluationMetrics Evaluate(int[][] rows, IReadOnlyList<LabelledReview> reviews)
    {
        checkpoint.Model.eval();
        int budget = new InferenceOptions().TokenBudget;
        var probabilities = new float[rows.Length][];
        foreach (int[] pass in TokenBudgetBatches.Group([.. rows.Select(row => row.Length)], budget))
        {
            float[][] results = ForwardPass.Probabilities(checkpoint.Model, [.. pass.Select(index => rows[index])], checkpoint.Tokenizer.PaddingId, device);
            for (int i = 0; i < pass.Length; i++) probabilities[pass[i]] = results[i];
        }
        return EvaluationMetrics.Of([.. reviews.Select(review => review.Label)], probabilities);
    }

    private int[][] Encode(IReadOnlyList<LabelledReview> reviews) =>
        [.. reviews.Select(review => checkpoint.Tokenizer.Encode(review.Text, maxLength))];

    private void CheckLabels(IReadOnlyList<LabelledReview> train, IReadOnlyList<LabelledReview> evaluation)
    {
        if (train.Count == 0) throw new TrainingException("There is no labelled review to learn from.");
        int labels = checkpoint.Config.NumLabels;
        if (train.Concat(evaluation).FirstOrDefault(review => review.Label < 0 || review.Label >= labels) is { } outOfRange)
            throw new TrainingException($"A label is {outOfRange.Label}, but the model has labels 0 to {labels - 1} (1 to {labels} stars).");
        if (train.DistinctBy(review => review.Label).Count() == 1)
            throw new TrainingException($"All {train.Count} reviews to learn from have {train[0].Label + 1} stars; there must be at least two ratings to tell apart.");
    }
}
