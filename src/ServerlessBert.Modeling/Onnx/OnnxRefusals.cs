namespace ServerlessBert.Modeling.Onnx;

/// <summary>Graphs that are known not to be a plain BERT by their operators alone; a sentence for each kind says what to take
/// instead.</summary>
internal static class OnnxRefusals
{
    // ONNX's own, and ONNX Runtime's.
    private static readonly HashSet<string> Quantized =
    [
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "DynamicQuantizeMatMul",
        "MatMulIntegerToFloat", "MatMulNBits", "QAttention", "QGemm", "QEmbedLayerNormalization", "GatherBlockQuantized",
    ];

    /// <summary>Refuses what cannot be followed.</summary>
    /// <exception cref="NotSupportedException">Names the operator and the way out.</exception>
    public static void Check(OnnxModel model)
    {
        if (model.HasFunctions)
            throw new NotSupportedException(
                "its operators are functions of the file itself, as torch 2.1 to 2.5 wrote them with dynamo; export it with torch 2.6 or "
                + "later, or inline them with onnx.inliner");
        // Quantized graphs are optimized ones too, and that they are quantized says more.
        if (model.Nodes.FirstOrDefault(node => IsQuantized(node.Type)) is { } quantized)
            throw new NotSupportedException(
                $"it is quantized ({quantized.Type}), and what was rounded away cannot be had back; take the float32 file, which is "
                + "mostly called model.onnx");
        foreach (OnnxNode node in model.Nodes)
        {
            if (node.Domain.Length > 0)
                throw new NotSupportedException(
                    $"it was optimized for ONNX Runtime ({node.Domain}'s {node.Type} stands for several operators at once); take the "
                    + "file that it was made from, or export it without optimization");
            if (Sentence(node.Type) is { } sentence) throw new NotSupportedException(sentence);
        }
        if (model.Inputs.FirstOrDefault(input => input.Contains("past_key", StringComparison.Ordinal)
            || input.Contains("decoder", StringComparison.Ordinal)) is { } decoder)
            throw new NotSupportedException($"its input {decoder} is a decoder's");
    }

    private static bool IsQuantized(string type) => Quantized.Contains(type) || type.StartsWith("QLinear", StringComparison.Ordinal);

    private static string? Sentence(string type) => type switch
    {
        "Conv" or "ConvTranspose" or "MaxPool" => $"it works on images or sound ({type})",
        "LSTM" or "GRU" or "RNN" => $"it is a recurrent network ({type})",
        "Cos" or "Sin" or "RotaryEmbedding" =>
            $"it rotates its queries by their positions ({type}), as ModernBERT and the Llama family do, where BERT adds position "
            + "embeddings",
        "RMSNormalization" or "SimplifiedLayerNormalization" => $"it normalizes without a mean ({type}), where BERT has LayerNorm",
        "Attention" => "its attention is one operator (Attention, opset 23); export it with opset 22 or lower",
        "If" or "Loop" or "Scan" => $"it has control flow ({type}), which depends on its inputs; export it again with fixed branches",
        _ => null,
    };
}
