using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference.Packed;
using ServerlessBert.Modeling.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference;

/// <summary>From token ids to logits: the plain module tree, or the packed layers that are equal to it.</summary>
internal interface IForward : IDisposable
{
    /// <summary>Cuts reviews into passes that suit this forward.</summary>
    /// <param name="lengths">Tokens of each review.</param>
    /// <param name="tokenBudget">Tokens of one pass, about.</param>
    IEnumerable<int[]> Passes(IReadOnlyList<int> lengths, int tokenBudget);

    /// <summary>Logits, [rows][labels].</summary>
    /// <param name="rows">Token ids of each review, special tokens included.</param>
    float[][] Logits(IReadOnlyList<int[]> rows);
}

/// <summary>
/// The module tree in eval mode on padded batches: works everywhere, and is what <see cref="PackedForward"/> is tested against.
/// </summary>
/// <param name="model">Taken over and disposed.</param>
/// <param name="paddingId">The id of [PAD].</param>
internal sealed class EagerForward(BertForSequenceClassification model, int paddingId) : IForward
{
    /// <summary>Puts a model into evaluation mode and a number type, and takes it over.</summary>
    public static EagerForward Of(BertForSequenceClassification model, BertTokenizer tokenizer, InferenceDtype dtype)
    {
        model.to(dtype == InferenceDtype.BFloat16 ? bfloat16 : float32);
        model.eval();
        return new EagerForward(model, tokenizer.PaddingId);
    }

    public IEnumerable<int[]> Passes(IReadOnlyList<int> lengths, int tokenBudget) => TokenBudgetBatches.Group(lengths, tokenBudget);

    public float[][] Logits(IReadOnlyList<int[]> rows) => ForwardPass.Logits(model, rows, paddingId, CPU);

    public void Dispose() => model.Dispose();
}

/// <summary>One pass of an eval-mode model over a padded batch, from token ids to logits or probabilities.</summary>
internal static class ForwardPass
{
    /// <summary>Softmax of the logits, [rows][labels], in float32 whatever the model's number type is.</summary>
    public static float[][] Probabilities(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device) =>
        Run(model, rows, paddingId, device, logits => logits.softmax(-1));

    /// <summary>Logits, [rows][labels], in float32 whatever the model's number type is.</summary>
    public static float[][] Logits(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device) =>
        Run(model, rows, paddingId, device, logits => logits);

    private static float[][] Run(
        BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device, Func<Tensor, Tensor> last)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var batch = PaddedBatch.Of(rows, paddingId, device);
        Tensor logits = model.call(batch.InputIds, batch.AttentionMask, null).to(float32); // [batch, labels]
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(last(logits).cpu().contiguous().bytes);
        int labels = values.Length / rows.Count;
        var result = new float[rows.Count][];
        for (int row = 0; row < rows.Count; row++)
            result[row] = values.Slice(row * labels, labels).ToArray();
        return result;
    }
}
