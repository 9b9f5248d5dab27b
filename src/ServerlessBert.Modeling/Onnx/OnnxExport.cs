using System.Globalization;
using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Tokenization;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>
/// Writes a checkpoint folder as an ONNX graph of standard operators (opset 17) in float32, for any batch and sequence, and
/// the tokenizer's files beside it. Inputs are named as Hugging Face names them; a classifier gives <c>logits</c>
/// [batch, labels] and, calibrated as <see cref="ReviewClassifier"/> does, <c>probabilities</c>; an encoder gives
/// <c>last_hidden_state</c> [batch, sequence, hidden] and, where it has a pooler, <c>pooler_output</c> [batch, hidden].
/// </summary>
public sealed class OnnxExport : IDisposable
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "model.onnx";

    private const string Batch = "batch", Sequence = "sequence";
    private const long MaxInlineBytes = 1_900_000_000; // protocol buffers end at 2 GiB

    private readonly CheckpointFolder files;
    private readonly CheckpointPlan plan;
    private readonly CalibrationTemperature calibration;
    private readonly OnnxGraphWriter graph;
    private readonly ProtobufWriter lastAxis = OnnxGraphWriter.Attribute("axis", -1);

    private OnnxExport(CheckpointFolder files, CheckpointPlan plan, CalibrationTemperature calibration, OnnxGraphWriter graph) =>
        (this.files, this.plan, this.calibration, this.graph) = (files, plan, calibration, graph);

    private BertConfig Config => plan.Config;

    /// <summary>Writes model.onnx, config.json and the tokenizer's files into a folder, which is made where it is missing.</summary>
    /// <param name="folder">A checkpoint folder, of a classifier or of an encoder.</param>
    /// <param name="output">Where it goes; not the checkpoint folder itself.</param>
    /// <returns>The path of model.onnx.</returns>
    /// <exception cref="CheckpointException">The folder is not a valid checkpoint; every fault is named.</exception>
    public static string Write(string folder, string output)
    {
        BertTokenizer tokenizer = BertTokenizer.FromFolder(folder);
        CalibrationTemperature calibration = CalibrationTemperature.Load(folder);
        string path = Path.Combine(output, FileName);
        var config = BertConfig.Load(folder);
        CheckpointFolder files = CheckpointFolder.Open(folder);
        try
        {
            var plan = CheckpointPlan.Of(folder, files, config, new CheckpointOptions());
            long weights = plan.Stored.Values.Sum(stored => stored.Entry.Shape.Aggregate(1L, (product, size) => product * size));
            bool isLarge = sizeof(float) * weights > MaxInlineBytes;
            using var export = new OnnxExport(files, plan, calibration, new OnnxGraphWriter(path, isLarge));
            export.Write();
            tokenizer.Save(output);
            bool isClassifier = export.Has("classifier.weight") && export.Has("bert.pooler.dense.weight");
            (plan.Config with { TorchDtype = "float32" }).Save(output, isClassifier ? "ForSequenceClassification" : "Model");
            if (File.Exists(Path.Combine(folder, CalibrationTemperature.FileName)))
                File.Copy(Path.Combine(folder, CalibrationTemperature.FileName), Path.Combine(output, CalibrationTemperature.FileName),
                    overwrite: true);
        }
        finally
        {
            files.Dispose();
        }
        return path;
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        files.Dispose();
        graph.Dispose();
    }

    private bool Has(string key) => plan.Stored.ContainsKey(key);

    private void Write()
    {
        string x = Embeddings();                                                                       // [batch, sequence, hidden]
        string mask = Mask();                                                                          // [batch, 1, 1, sequence]
        for (int layer = 0; layer < Config.NumHiddenLayers; layer++)
            x = Layer($"bert.encoder.layer.{layer}", x, mask);                                         // [batch, sequence, hidden]
        if (!Has("bert.pooler.dense.weight")) Output(x, "last_hidden_state", Batch, Sequence, Size(Config.HiddenSize));
        else Head(x);
        graph.Save();
    }

    private string Embeddings()
    {
        const string prefix = "bert.embeddings";
        graph.Input("input_ids", OnnxDtype.Int64, Batch, Sequence);
        graph.Input("attention_mask", OnnxDtype.Int64, Batch, Sequence);
        string positions = Positions();                                                                // [sequence] or [1, sequence]
        string sum = graph.Node("Gather", [Weight($"{prefix}.word_embeddings.weight"), "input_ids"]);  // [batch, sequence, hidden]
        if (Config.TypeVocabSize > 0)
        {
            graph.Input("token_type_ids", OnnxDtype.Int64, Batch, Sequence);
            sum = graph.Node("Add", [sum, graph.Node("Gather", [Weight($"{prefix}.token_type_embeddings.weight"), "token_type_ids"])]);
        }
        sum = graph.Node("Add", [sum, graph.Node("Gather", [Weight($"{prefix}.position_embeddings.weight"), positions])]);
        return Norm(sum, $"{prefix}.LayerNorm");
    }

    // A checkpoint that has the positions' indices keeps them, so that importing the graph gives the same file again.
    private string Positions()
    {
        string shape = graph.Node("Shape", ["input_ids"]);
        if (files.Tensors.FirstOrDefault(each => WeightNames.IsBuffer(each.Key)
            && each.Value.Entry is { Dtype: ScalarType.Int64, Shape: [1, _] }) is not { Key: { } name, Value: { } stored })
            return graph.Node("Range", [graph.Integers([0]), graph.Node("Gather", [shape, graph.Integers([1])]), graph.Integers([1])]);
        using Tensor indices = stored.Reader.Read(stored.Entry);
        string all = graph.Integers(MemoryMarshal.Cast<byte, long>(indices.bytes), indices.shape, name);
        return graph.Node("Slice",
            [all, graph.Integers([0], 1), graph.Node("Gather", [shape, graph.Integers([1], 1)]), graph.Integers([1], 1)]);
    }

    private string Mask()
    {
        string isPadding = graph.Node("Equal", ["attention_mask", graph.Integers([0])]);               // [batch, sequence]
        isPadding = graph.Node("Unsqueeze", [isPadding, graph.Integers([1, 2], 2)]);                   // [batch, 1, 1, sequence]
        return graph.Node("Where", [isPadding, Scalar(float.MinValue), Scalar(0)]);
    }

    private string Layer(string prefix, string x, string mask)
    {
        string context = Attention($"{prefix}.attention.self", x, mask);                               // [batch, sequence, hidden]
        string attended = Linear(context, $"{prefix}.attention.output.dense");
        attended = Norm(graph.Node("Add", [attended, x]), $"{prefix}.attention.output.LayerNorm");
        string wide = Activate(Linear(attended, $"{prefix}.intermediate.dense"));                      // [batch, sequence, intermediate]
        string narrow = graph.Node("Add", [Linear(wide, $"{prefix}.output.dense"), attended]);
        return Norm(narrow, $"{prefix}.output.LayerNorm");
    }

    private string Attention(string prefix, string x, string mask)
    {
        string split = graph.Integers([0, 0, Config.NumAttentionHeads, Config.HeadSize], 4),
            join = graph.Integers([0, 0, Config.HiddenSize], 3);
        ProtobufWriter headsFirst = OnnxGraphWriter.Attribute("perm", [0, 2, 1, 3]);
        // [batch, heads, sequence, head]
        string q = graph.Node("Transpose", [graph.Node("Reshape", [Linear(x, $"{prefix}.query"), split])], headsFirst);
        string k = graph.Node("Transpose", [graph.Node("Reshape", [Linear(x, $"{prefix}.key"), split])],
            OnnxGraphWriter.Attribute("perm", [0, 2, 3, 1]));
        string v = graph.Node("Transpose", [graph.Node("Reshape", [Linear(x, $"{prefix}.value"), split])], headsFirst);
        // [batch, heads, sequence, sequence]
        string scores = graph.Node("Div", [graph.Node("MatMul", [q, k]), Scalar((float)Math.Sqrt(Config.HeadSize))]);
        string probabilities = graph.Node("Softmax", [graph.Node("Add", [scores, mask])], lastAxis);
        string context = graph.Node("Transpose", [graph.Node("MatMul", [probabilities, v])], headsFirst); // [batch, sequence, heads, head]
        return graph.Node("Reshape", [context, join]);
    }

    private void Head(string x)
    {
        string first = graph.Node("Gather", [x, graph.Integers([0])], OnnxGraphWriter.Attribute("axis", 1L)); // [batch, hidden]
        string pooled = graph.Node(Config.IsDistilled ? "Relu" : "Tanh", [Linear(first, "bert.pooler.dense")]);
        if (!Has("classifier.weight"))
        {
            Output(x, "last_hidden_state", Batch, Sequence, Size(Config.HiddenSize));
            Output(pooled, "pooler_output", Batch, Size(Config.HiddenSize));
            return;
        }
        string logits = Linear(pooled, "classifier");                                                  // [batch, labels]
        Output(logits, "logits", Batch, Size(Config.NumLabels));
        string calibrated = calibration.Temperature == 1 ? logits : graph.Node("Div", [logits, Scalar((float)calibration.Temperature)]);
        Output(graph.Node("Softmax", [calibrated], lastAxis), "probabilities", Batch, Size(Config.NumLabels));
    }

    // The exact one by erf, its approximation by tanh, or ReLU: as Activation computes them.
    private string Activate(string x)
    {
        if (Config.HiddenAct == "relu") return graph.Node("Relu", [x]);
        string inner = Config.HiddenAct == "gelu_new"
            ? graph.Node("Tanh", [graph.Node("Mul", [Cubic(x), Scalar((float)Math.Sqrt(2 / Math.PI))])])
            : graph.Node("Erf", [graph.Node("Div", [x, Scalar((float)Math.Sqrt(2))])]);
        return graph.Node("Mul", [graph.Node("Mul", [x, graph.Node("Add", [inner, Scalar(1)])]), Scalar(0.5f)]);
    }

    private string Cubic(string x) => graph.Node("Add", [x, graph.Node("Mul", [graph.Node("Pow", [x, Scalar(3)]), Scalar(0.044715f)])]);

    private string Norm(string x, string prefix) => graph.Node(
        "LayerNormalization", [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")], lastAxis,
            OnnxGraphWriter.Attribute("epsilon", (float)Config.LayerNormEps));

    private string Linear(string x, string prefix) =>
        graph.Node("Add", [graph.Node("MatMul", [x, Weight($"{prefix}.weight", isTransposed: true)]), Weight($"{prefix}.bias")]);

    private void Output(string value, string name, params string[] dimensions) => graph.Output(value, name, OnnxDtype.Float32, dimensions);

    private string Scalar(float value) => graph.Weight([value], []);

    private static string Size(int size) => size.ToString(CultureInfo.InvariantCulture);

    private string Weight(string key, bool isTransposed = false)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = plan.Stored[key].Reader.Read(plan.Stored[key].Entry).to(float32);
        if (isTransposed) weight = weight.t();
        string name = Config.IsDistilled ? WeightNames.ToDistilBert(key) : key;
        if (isTransposed) name += ".transposed";
        return graph.Weight(MemoryMarshal.Cast<byte, float>(weight.contiguous().bytes), weight.shape, name);
    }
}
