using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One pass of an eval-mode model over a padded batch, from token ids to probabilities.</summary>
internal static class ForwardPass
{
    /// <summary>Softmax of the logits, [rows][labels], in float32 whatever the model's number type is.</summary>
    public static float[][] Probabilities(BertForSequenceClassification model, IReadOnlyList<int[]> rows, int paddingId, Device device)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var batch = PaddedBatch.Of(rows, paddingId, device);
        Tensor logits = model.call(batch.InputIds, batch.AttentionMask, null); // [batch, labels]
        Tensor probabilities = logits.to(float32).softmax(-1).cpu().contiguous(); // [batch, labels]
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(probabilities.bytes);
        int labels = values.Length / rows.Count;
        var result = new float[rows.Count][];
        for (int row = 0; row < rows.Count; row++)
            result[row] = values.Slice(row * labels, labels).ToArray();
        return result;
    }
}
