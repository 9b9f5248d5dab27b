using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Benchmarks.Onnx;

/// <summary>
/// BertForSequenceClassification as ONNX Runtime's own optimizer leaves it: embeddings, attention, residuals and GELU in
/// its fused operators; with <c>quantize</c>, as its quantize_dynamic leaves that: int8 weights, one scale a tensor,
/// inputs quantized as they come.
/// </summary>
internal sealed class OnnxBert : IDisposable
{
    public const string InputIds = "input_ids", AttentionMask = "attention_mask";

    private readonly CheckpointWeights _weights;
    private readonly string _path;
    private readonly OnnxGraphWriter _graph;
    private readonly bool _quantize;
    private readonly ProtobufWriter _epsilon, _heads;

    private OnnxBert(CheckpointWeights weights, string folder, bool quantize)
    {
        _path = Path.Combine(folder, OnnxExport.FileName);
        (_weights, _graph, _quantize) = (weights, new OnnxGraphWriter(_path, hasWeightsBeside: true), quantize);
        _epsilon = OnnxGraphWriter.Attribute("epsilon", (float)weights.Config.LayerNormEps);
        _heads = OnnxGraphWriter.Attribute("num_heads", weights.Config.NumAttentionHeads);
    }

    /// <summary>Writes a checkpoint's graph into a folder and gives the model's path.</summary>
    public static string Write(CheckpointWeights weights, string folder, bool quantize)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var bert = new OnnxBert(weights, folder, quantize);
        return bert.Write();
    }

    public void Dispose() => _graph.Dispose();

    private string Write()
    {
        _graph.Input(InputIds, OnnxDtype.Int32, "batch", "sequence");
        _graph.Input(AttentionMask, OnnxDtype.Int32, "batch", "sequence");
        var (x, mask) = Embeddings();
        for (int layer = 0; layer < _weights.Config.NumHiddenLayers; layer++) x = Layer($"bert.encoder.layer.{layer}", x, mask);
        string first = _graph.Node("Gather", [x, _graph.Integers([0])], OnnxGraphWriter.Attribute("axis", 1)); // [batch, hidden]
        string pooled = _graph.Node("Tanh", [_graph.Node("Add", [MatMul(first, "bert.pooler.dense"), Vector("bert.pooler.dense.bias")])]);
        _graph.Output(_graph.Node("Add", [MatMul(pooled, "classifier"), Vector("classifier.bias")]), "logits", OnnxDtype.Float32, "batch",
            "labels");
        _graph.Save();
        return _path;
    }

    private (string X, string Mask) Embeddings()
    {
        const string prefix = "bert.embeddings";
        // Every review is one segment: its type's row is a constant of the positions, so there are no segment ids.
        Tensor positions = _weights.Tensors[$"{prefix}.position_embeddings.weight"]
            + _weights.Tensors[$"{prefix}.token_type_embeddings.weight"][0];
        string[] outputs = _graph.RuntimeNode("EmbedLayerNormalization",
            [InputIds, "", Matrix(_weights.Tensors[$"{prefix}.word_embeddings.weight"]), Matrix(positions), "",
                Vector($"{prefix}.LayerNorm.weight"), Vector($"{prefix}.LayerNorm.bias"), AttentionMask],
            outputs: 2, _epsilon);
        return (outputs[0], outputs[1]); // [batch, sequence, hidden], [batch]
    }

    private string Layer(string prefix, string x, string mask)
    {
        string context = Attention(prefix, x, mask); // [batch, sequence, hidden]
        string attended = AddAndNorm(MatMul(context, $"{prefix}.attention.output.dense"), x, $"{prefix}.attention.output");
        // [batch, sequence, intermediate]
        string up = Runtime("BiasGelu", [MatMul(attended, $"{prefix}.intermediate.dense"), Vector($"{prefix}.intermediate.dense.bias")]);
        return AddAndNorm(MatMul(up, $"{prefix}.output.dense"), attended, $"{prefix}.output");
    }

    private string AddAndNorm(string projected, string residual, string prefix) => Runtime("SkipLayerNormalization",
        [projected, residual, Vector($"{prefix}.LayerNorm.weight"), Vector($"{prefix}.LayerNorm.bias"), Vector($"{prefix}.dense.bias")],
            _epsilon);

    private string Attention(string prefix, string x, string mask)
    {
        string[] names = ["query", "key", "value"];
        // [hidden, 3 hidden]
        Tensor weight = cat([.. names.Select(name => _weights.Tensors[$"{prefix}.attention.self.{name}.weight"])], 0).t().contiguous();
        string bias = Vector(cat([.. names.Select(name => _weights.Tensors[$"{prefix}.attention.self.{name}.bias"])], 0));
        if (!_quantize) return Runtime("Attention", [x, Matrix(weight), bias, mask], _heads);
        var (values, scale, zero) = Quantized(weight);
        string[] input = _graph.Node("DynamicQuantizeLinear", [x], outputs: 3);
        return Runtime("QAttention", [input[0], values, bias, input[1], scale, mask, input[2], zero], _heads);
    }

    private string Runtime(string type, string[] inputs, params ProtobufWriter[] attributes) =>
        _graph.RuntimeNode(type, inputs, outputs: 1, attributes)[0];

    private string MatMul(string x, string prefix)
    {
        Tensor weight = _weights.Tensors[$"{prefix}.weight"].t().contiguous(); // [inputs, outputs]
        if (!_quantize) return _graph.Node("MatMul", [x, Matrix(weight)]);
        var (values, scale, zero) = Quantized(weight);
        return Runtime("DynamicQuantizeMatMul", [x, values, scale, zero]);
    }

    // Symmetric, one scale for the whole tensor: quantize_dynamic's defaults.
    private (string Values, string Scale, string Zero) Quantized(Tensor weight)
    {
        float scale = weight.abs().max().ToSingle() / 127;
        Tensor values = (weight / scale).round().clamp(-127, 127).to(int8).contiguous();
        return (_graph.Weight(MemoryMarshal.Cast<byte, sbyte>(values.bytes), values.shape), _graph.Weight([scale], []),
            _graph.Weight((ReadOnlySpan<sbyte>)[0], []));
    }

    private string Matrix(Tensor weight) => _graph.Weight(MemoryMarshal.Cast<byte, float>(weight.contiguous().bytes), weight.shape);

    private string Vector(Tensor weight) => _graph.Weight(MemoryMarshal.Cast<byte, float>(weight.bytes), weight.shape);

    private string Vector(string key) => Vector(_weights.Tensors[key]);
}
