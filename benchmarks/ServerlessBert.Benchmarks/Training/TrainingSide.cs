using System.Diagnostics;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Optimizers;
using ServerlessBert.Modeling.Tokenization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Benchmarks.Training;

/// <summary>A model of its own, trained with one optimizer: forward, backward, clipping to 1 and AdamW, as a fine-tuning's step.</summary>
internal sealed class TrainingSide : IDisposable
{
    private const double LearningRate = 5e-5, Decay = 0.01, MaxNorm = 1;

    private readonly Checkpoint checkpoint;
    private readonly FlatAdamW? flat;
    private readonly AdamW? kernels;
    private readonly Parameter[] parameters;

    public enum Optimizer
    {
        Flat,
        KernelAParameter,
    }

    public TrainingSide(string preset, BertTokenizer tokenizer, ScalarType compute, Optimizer optimizer)
    {
        checkpoint = Checkpoint.Create(BertConfig.Preset(preset, tokenizer.VocabularySize), tokenizer, seed: 1);
        checkpoint.Model.train();
        checkpoint.Model.ComputeDtype = compute;
        parameters = [.. checkpoint.Model.parameters()];
        var groups = ParameterGroup.Of(checkpoint.Model.named_parameters(), Decay);
        if (optimizer == Optimizer.Flat) flat = new FlatAdamW(groups);
        else kernels = optim.AdamW(
            groups.Select(group => new AdamW.ParamGroup(group.Parameters, LearningRate, weight_decay: group.WeightDecay)));
    }

    /// <summary>Takes a step over a batch.</summary>
    public (long Tokens, double Seconds, double OptimizerSeconds) Step((int[] Ids, int Label)[] rows, int[] batch, int padTo)
    {
        using var scope = NewDisposeScope();
        long start = Stopwatch.GetTimestamp();
        if (flat is not null) flat.ZeroGradients();
        else kernels!.zero_grad();
        double zeroing = Stopwatch.GetElapsedTime(start).TotalSeconds;

        using var padded = PaddedBatch.Of([.. batch.Select(row => rows[row].Ids)], checkpoint.Tokenizer.PaddingId, CPU, padTo);
        Tensor logits = checkpoint.Model.call(padded.InputIds, padded.AttentionMask, null); // [batch, labels]
        Tensor loss = nn.functional.cross_entropy(logits, tensor(batch.Select(row => (long)rows[row].Label).ToArray())); // []
        loss.backward();

        long update = Stopwatch.GetTimestamp();
        if (flat is not null)
        {
            flat.ClipGradients(MaxNorm);
            flat.Step(LearningRate);
        }
        else
        {
            nn.utils.clip_grad_norm_(parameters, MaxNorm);
            kernels!.step();
        }
        return (padded.Tokens, Stopwatch.GetElapsedTime(start).TotalSeconds, zeroing + Stopwatch.GetElapsedTime(update).TotalSeconds);
    }

    public void Dispose()
    {
        flat?.Dispose();
        kernels?.Dispose();
        checkpoint.Dispose();
    }
}
