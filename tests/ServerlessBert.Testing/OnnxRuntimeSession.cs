using Microsoft.ML.OnnxRuntime;

namespace ServerlessBert.Testing;

/// <summary>ONNX Runtime on one thread: what a graph is compared with.</summary>
public sealed class OnnxRuntimeSession : IDisposable
{
    private readonly SessionOptions options = new() { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
    private readonly InferenceSession session;

    /// <summary>Opens a file.</summary>
    public OnnxRuntimeSession(string path) => session = new InferenceSession(path, options);

    /// <summary>The names of its inputs.</summary>
    public IReadOnlyList<string> Inputs => [.. session.InputMetadata.Keys];

    /// <summary>The names of its outputs.</summary>
    public IReadOnlyList<string> Outputs => [.. session.OutputMetadata.Keys];

    /// <summary>One output for a padded batch, row after row; token types are 0.</summary>
    /// <param name="output">The output's name.</param>
    /// <param name="rows">Token ids of each text, special tokens included.</param>
    /// <param name="paddingId">The id of [PAD].</param>
    /// <returns>The values, in the order of the output's shape.</returns>
    public float[] Run(string output, IReadOnlyList<int[]> rows, int paddingId = 0)
    {
        int sequence = rows.Max(row => row.Length);
        long[] ids = new long[rows.Count * sequence], mask = new long[ids.Length];
        Array.Fill(ids, paddingId);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int place = 0; place < rows[row].Length; place++) ids[row * sequence + place] = rows[row][place];
            Array.Fill(mask, 1, row * sequence, rows[row].Length);
        }
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            foreach (string name in Inputs)
            {
                long[] values = name switch { "input_ids" => ids, "attention_mask" => mask, _ => new long[ids.Length] };
                inputs.Add(name, OrtValue.CreateTensorValueFromMemory(values, [rows.Count, sequence]));
            }
            using var run = new RunOptions();
            using var outputs = session.Run(run, inputs, [output]);
            return outputs[0].GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16
                ? [.. outputs[0].GetTensorDataAsSpan<Float16>().ToArray().Select(value => (float)value)]
                : outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            foreach (OrtValue value in inputs.Values) value.Dispose();
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }
}
