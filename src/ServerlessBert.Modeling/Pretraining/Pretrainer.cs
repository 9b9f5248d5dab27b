using System.Diagnostics;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Tokenization;
using ServerlessBert.Modeling.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Pretraining;

/// <summary>
/// Pretrains a checkpoint's encoder on texts without labels, in place, as a masked language model: what a classifier that
/// is fine-tuned afterwards knows of the domain's language (Sun et al. 2019, arXiv:1905.05583; Gururangan et al. 2020,
/// arXiv:2004.10964). The same seed, texts and number of threads give the same weights.
/// </summary>
public sealed class Pretrainer
{
    // Losses are averaged over these many steps for the result.
    private const int Recent = 100;

    private readonly BertTokenizer tokenizer;
    private readonly BertForMaskedLM model;
    private readonly PretrainingOptions options;
    private readonly Device device;

    /// <summary>Prepares to pretrain.</summary>
    /// <param name="model">What is pretrained, in place; it is moved to <paramref name="device"/>.</param>
    /// <param name="tokenizer">The tokenizer that belongs to the model's vocabulary.</param>
    /// <param name="options">Validated here.</param>
    /// <param name="device">cpu or cuda; null takes the CPU.</param>
    /// <exception cref="TrainingException">An option is out of its range, or a piece longer than the model's positions.</exception>
    public Pretrainer(BertForMaskedLM model, BertTokenizer tokenizer, PretrainingOptions options, Device? device = null)
    {
        options.Validate();
        if (options.SequenceLength > model.Config.MaxPositionEmbeddings)
            throw new TrainingException(
                $"SequenceLength is {options.SequenceLength}, but the model has only {model.Config.MaxPositionEmbeddings} positions.");
        (this.model, this.tokenizer, this.options, this.device) = (model, tokenizer, options, device ?? CPU);
    }

    /// <summary>Pretrains.</summary>
    /// <param name="texts">The corpus.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Stops after the present step; what was learned stays.</param>
    /// <exception cref="TrainingException">There is not enough text, or the loss is no number.</exception>
    public PretrainingResult Train(
        IEnumerable<string> texts, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var packed = new PackedTexts(texts, tokenizer, options.SequenceLength);
        int stepsAnEpoch = (packed.PiecesAnEpoch + options.BatchSize - 1) / options.BatchSize;
        int totalSteps = Math.Min(options.MaxSteps ?? int.MaxValue, (int)Math.Ceiling(options.Epochs * stepsAnEpoch));
        var schedule = new LearningRateSchedule(ScheduleKind.Linear, totalSteps, (int)Math.Ceiling(options.WarmupRatio * totalSteps));
        long start = Stopwatch.GetTimestamp(), tokens = 0;
        var recentLosses = new Queue<double>();
        int step = 0;

        using FlatOptimizer optimizer = Prepare();
        foreach (IReadOnlyList<MaskedTokens> batch in Batches(packed))
        {
            if (step == totalSteps || cancellationToken.IsCancellationRequested) break;
            double learningRate = options.LearningRate * schedule.FactorAt(step);
            double loss = Learn(batch, optimizer, learningRate);
            step++;
            if (!double.IsFinite(loss))
                throw new TrainingException(
                    $"The loss of pretraining became {loss} at step {step} of {totalSteps}; try a learning rate below "
                        + $"{options.LearningRate:g}.");
            tokens += batch.Count * options.SequenceLength;
            recentLosses.Enqueue(loss);
            if (recentLosses.Count > Recent) recentLosses.Dequeue();
            progress?.Report(new TrainingProgress(step, totalSteps, (double)step / stepsAnEpoch, loss, learningRate,
                tokens, tokens, Stopwatch.GetElapsedTime(start)));
        }

        model.ComputeDtype = null;
        model.SetDropout(null);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new PretrainingResult(step, step < totalSteps, seconds, tokens / seconds, recentLosses.DefaultIfEmpty().Average());
    }

    private FlatAdamW Prepare()
    {
        manual_seed(options.Seed);
        if (device.type == DeviceType.CUDA) cuda.manual_seed_all(options.Seed);
        model.to(device);
        model.ComputeDtype = options.Precision.On(device);
        model.SetDropout(options.Dropout, options.Seed);
        model.train();
        return new FlatAdamW(ParameterGroup.Of(model.PretrainedParameters(), options.WeightDecay));
    }

    private IEnumerable<IReadOnlyList<MaskedTokens>> Batches(PackedTexts packed)
    {
        var vocabulary = new MaskingVocabulary(tokenizer);
        var random = new Random(options.Seed);
        while (true)
        {
            foreach (int[][] pieces in packed.Epoch(random).Chunk(options.BatchSize))
                yield return [.. pieces.Select(ids => MaskedTokens.Of(ids, vocabulary, options.MaskingRate, random))];
        }
    }

    private double Learn(IReadOnlyList<MaskedTokens> rows, FlatOptimizer optimizer, double learningRate)
    {
        using var scope = NewDisposeScope();
        using MaskedBatch batch = MaskedBatch.Of(rows, device);
        optimizer.ZeroGradients();
        Tensor scores = model.call(batch.InputIds, null, batch.Positions);       // [batch * wanted, vocabulary]
        Tensor loss = nn.functional.cross_entropy(scores, batch.Labels, ignore_index: MaskedBatch.Ignored); // []
        loss.backward();
        if (options.MaxGradientNorm > 0) optimizer.ClipGradients(options.MaxGradientNorm);
        optimizer.Step(learningRate);
        return loss.item<float>();
    }
}

/// <summary>How a pretraining went.</summary>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="IsCancelled">Whether it was stopped before its last step; the weights are those it had then.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="TokensPerSecond">Tokens a second; none of them is padding.</param>
/// <param name="FinalLoss">Mean cross-entropy of the last 100 steps at masked positions, in nats.</param>
public sealed record PretrainingResult(int Steps, bool IsCancelled, double Seconds, double TokensPerSecond, double FinalLoss);
