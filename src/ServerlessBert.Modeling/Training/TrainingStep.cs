using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>One optimizer step: forward and backward of its batches, clipping, and the update.</summary>
/// <param name="checkpoint">The model, in training mode on <paramref name="device"/>, and its tokenizer.</param>
/// <param name="rows">What is learned from.</param>
/// <param name="optimizer">Holds the model's parameters.</param>
/// <param name="loss">What is minimised.</param>
/// <param name="options">Sound options.</param>
/// <param name="device">Where it computes.</param>
/// <param name="padTo">Least sequence length.</param>
internal sealed class TrainingStep(
    Checkpoint checkpoint, EncodedReviews rows, FlatOptimizer optimizer, TrainingLoss loss, TrainingOptions options, Device device,
        int padTo)
{
    private readonly Augmentation noise = new(options, checkpoint.Tokenizer);

    /// <summary>Takes a step, unless its loss or gradient is no finite number: then the weights stay as they are.</summary>
    /// <exception cref="TrainingException">Memory does not suffice; the message has the batch's shape.</exception>
    public StepOutcome Take(PlannedStep planned)
    {
        if (planned.IsClean) checkpoint.Model.SetDropout(0, 0, 0);
        else checkpoint.Model.SetDropout(options.HiddenDropout, options.AttentionDropout, options.ClassifierDropout);
        optimizer.ZeroGradients();
        var outcome = new StepOutcome();
        double divisor = loss.WeightOf(planned.Batches.SelectMany(batch => batch).Select(row => rows.Labels[row]));
        for (int index = 0; index < planned.Batches.Length; index++)
        {
            SeedDropout((planned.Step - 1L) * options.GradientAccumulation + index);
            outcome = outcome.With(Learn(planned, index, divisor));
        }
        outcome = outcome with { GradientNorm = optimizer.ClipGradients(options.MaxGradientNorm) };
        if (outcome.IsFinite) optimizer.Step(planned.LearningRate);
        return outcome;
    }

    // Of all batches of the step, one: its gradients are added to those of the others.
    private StepOutcome Learn(PlannedStep planned, int index, double divisor)
    {
        using var scope = NewDisposeScope();
        int[] batch = planned.Batches[index];
        int[][] ids = [.. batch.Select(row => rows.Ids[row])];
        if (!planned.IsClean) ids = noise.On(ids, planned.Step, index);
        int sequence = Math.Max(padTo, ids.Max(row => row.Length));
        try
        {
            using var padded = PaddedBatch.Of(ids, checkpoint.Tokenizer.PaddingId, device, padTo);
            Tensor logits = checkpoint.Model.call(padded.InputIds, padded.AttentionMask, null); // [batch, labels]
            using Scalar denominator = divisor;
            Tensor share = loss.SumOf(
                logits, [.. batch.Select(row => rows.Labels[row])], rows.Taught is { } taught ? [.. batch.Select(row => taught[row])]
                : null).div(denominator); // []
            share.backward();
            return new StepOutcome(share.item<float>(), 0, batch.Length, padded.Tokens, (long)batch.Length * sequence);
        }
        catch (Exception exception) when (OutOfMemory.IsCauseOf(exception))
        {
            throw new TrainingException(
                $"Memory ran out at step {planned.Step} over a batch of {batch.Length} reviews × {sequence} tokens on "
                    + $"{device.type.ToString().ToLowerInvariant()}; "
                + $"take a smaller batch (with gradient accumulation for the same step) or a shorter maximal length.", exception);
        }
    }

    // A function of seed and batch, so that a resumed training drops the same as one that was not cut.
    private void SeedDropout(long batch)
    {
        long seed = ((long)options.Seed << 32) ^ batch;
        checkpoint.Model.SeedDropout(seed);
        if (device.type == DeviceType.CUDA) cuda.manual_seed_all(seed);
    }
}

/// <summary>What came of a step.</summary>
/// <param name="Loss">Mean loss of its reviews, in nats.</param>
/// <param name="GradientNorm">The gradient's norm before clipping.</param>
/// <param name="Reviews">Reviews learned from.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="PaddedTokens">Their tokens with padding.</param>
internal readonly record struct StepOutcome(double Loss, double GradientNorm, int Reviews, long Tokens, long PaddedTokens)
{
    /// <summary>Whether the weights were updated.</summary>
    public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);

    /// <summary>Both batches' outcome.</summary>
    public StepOutcome With(StepOutcome other) => new(
        Loss + other.Loss, 0, Reviews + other.Reviews, Tokens + other.Tokens, PaddedTokens + other.PaddedTokens);
}

/// <summary>Tells libtorch's want of memory from its other errors, which all come as one type.</summary>
internal static class OutOfMemory
{
    // The allocators' own words: c10/core/impl/alloc_cpu.cpp and c10/cuda/CUDACachingAllocator.cpp.
    private static readonly string[] Words = ["not enough memory", "can't allocate memory", "out of memory"];

    /// <summary>Whether memory did not suffice.</summary>
    public static bool IsCauseOf(Exception exception) => exception is OutOfMemoryException
        || exception is System.Runtime.InteropServices.ExternalException
            && Words.Any(words => exception.Message.Contains(words, StringComparison.OrdinalIgnoreCase));
}
