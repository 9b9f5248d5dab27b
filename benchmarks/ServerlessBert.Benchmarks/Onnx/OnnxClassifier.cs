using Microsoft.ML.OnnxRuntime;

namespace ServerlessBert.Benchmarks.Onnx;

/// <summary>ONNX Runtime on padded batches.</summary>
internal sealed class OnnxClassifier(string path, int threads) : IDisposable
{
    private readonly InferenceSession _session = new(path, new SessionOptions
    {
        IntraOpNumThreads = threads,
        GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
    });
    private readonly RunOptions _options = new();

    /// <summary>Logits, [rows][labels].</summary>
    /// <param name="rows">Token ids of each review, special tokens included; padded here to the longest.</param>
    public float[][] Logits(IReadOnlyList<int[]> rows)
    {
        int sequence = rows.Max(row => row.Length);
        int[] ids = new int[rows.Count * sequence], mask = new int[ids.Length];
        for (int row = 0; row < rows.Count; row++)
        {
            rows[row].CopyTo(ids, row * sequence);
            Array.Fill(mask, 1, row * sequence, rows[row].Length);
        }
        long[] shape = [rows.Count, sequence];
        using OrtValue inputIds = OrtValue.CreateTensorValueFromMemory(ids, shape),
            attentionMask = OrtValue.CreateTensorValueFromMemory(mask, shape);
        using var outputs =
            _session.Run(_options, [OnnxBert.InputIds, OnnxBert.AttentionMask], [inputIds, attentionMask], _session.OutputNames);
        float[] logits = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        return logits.Chunk(logits.Length / rows.Count).ToArray();
    }

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
