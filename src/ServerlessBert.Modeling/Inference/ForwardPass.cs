using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One pass of an eval-mode model over a padded batch, from token ids to logits or probabilities.</summary>
internal static class ForwardPass
{
    /// <summary>Softmax of the logits, [rows][labels], in float32 whatever the model's number type is.</summary>
    public static float[][] Probabilities(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device) =>
        Run(model, rows, paddingId, device, logits => logits.softmax(-1));

    /// <summary>Logits, [rows][labels], in float32 whatever the model's number type is.</summary>
    public static float[][] Logits(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device) =>
        Run(model, rows, paddingId, device, logits => logits);

    private static float[][] Run(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device, Func<Tensor, Tensor> last)
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
