using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Onnx;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Tests.Onnx;

/// <summary>Where an exporter puts the values of weights.</summary>
public enum ValuesIn
{
    RawData,
    TypedData,
    ConstantNodes,
    FileBeside,
}

/// <summary>How an exporter writes a BERT.</summary>
public sealed record ExportStyle
{
    /// <summary>torch 1.10 to 2.4: LayerNorm and GELU in parts, matrices folded to [inputs, outputs], shapes by Concat.</summary>
    public static readonly ExportStyle Traced = new();

    /// <summary>torch 2.6 on, with dynamo: one operator where ONNX has one, Gemm for two dimensions, scaled queries and keys.</summary>
    public static readonly ExportStyle Dynamo =
        new()
        {
            HasNormOperator = true,
            HasGelu = true,
            HasGemm = true,
            ScalesBoth = true,
            FoldsTransposes = false,
            TakesAxesAsInput = true
        };

    public bool HasNormOperator { get; init; }
    public bool HasGelu { get; init; }
    public bool HasGemm { get; init; }
    public bool ScalesBoth { get; init; }
    public bool FoldsTransposes { get; init; } = true;
    public bool TakesAxesAsInput { get; init; }
    public bool HasTokenTypesInput { get; init; } = true;
    public ValuesIn Values { get; init; }
    internal OnnxDtype Dtype { get; init; } = OnnxDtype.Float32;
}

/// <summary>Writes a model as an ONNX graph in the way of an exporter: another one than the library's own, to import from.</summary>
internal sealed class ExportedGraph
{
    private readonly BertForSequenceClassification model;
    private readonly BertConfig config;
    private readonly ExportStyle style;
    private readonly string path;
    private readonly ProtobufWriter graph = new();
    private readonly Dictionary<string, Tensor> weights;
    private readonly MemoryStream beside = new();
    private int names;

    private ExportedGraph(BertForSequenceClassification model, ExportStyle style, string path)
    {
        (this.model, config, this.style, this.path) = (model, model.Config, style, path);
        weights = model.named_parameters().ToDictionary(each => each.name, each => (Tensor)each.parameter);
    }

    /// <summary>What may be changed in the nodes before they are written: their type, by their type and number.</summary>
    public Func<string, string> Rename { get; init; } = type => type;

    /// <summary>Writes a graph that ends in logits.</summary>
    public static void Write(BertForSequenceClassification model, ExportStyle style, string path, Func<string, string>? rename = null)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        new ExportedGraph(model, style, path) { Rename = rename ?? (type => type) }.Write();
    }

    private void Write()
    {
        graph.Text(2, "main_graph");
        foreach (string input in config.TypeVocabSize > 0 && style.HasTokenTypesInput
            ? (string[])["input_ids", "attention_mask", "token_type_ids"] : ["input_ids", "attention_mask"])
            graph.Message(11, Value(input, OnnxDtype.Int64, "batch", "sequence"));
        string x = Embeddings();
        string mask = Node("Mul", Node("Sub", Number(1), Cast(Node("Unsqueeze", "attention_mask", Integers([1, 2], 2)))), Number(-10000));
        for (int layer = 0; layer < config.NumHiddenLayers; layer++) x = Layer($"bert.encoder.layer.{layer}", x, mask);
        Output(x, "last_hidden_state");
        string first = Node("Gather", [x, Integers([0])], OnnxGraphWriter.Attribute("axis", 1L));
        string pooled = Node(config.IsDistilled ? "Relu" : "Tanh", Linear(first, "bert.pooler.dense", isFlat: true));
        Output(Linear(pooled, "classifier", isFlat: true), "logits");
        using FileStream file = File.Create(path);
        new ProtobufWriter().Integer(1, 8).Text(2, "pytorch").Message(7, graph)
            .Message(8, new ProtobufWriter().Text(1, "").Integer(2, style.HasGelu ? 20 : style.TakesAxesAsInput ? 18 : 17)).CopyTo(file);
        if (style.Values == ValuesIn.FileBeside) File.WriteAllBytes(path + ".data", beside.ToArray());
    }

    private string Embeddings()
    {
        const string prefix = "bert.embeddings";
        string length = Node("Gather", Node("Shape", "input_ids"), Integers([1], 1));
        string positions = Node("Slice",
            Integers([.. Enumerable.Range(0, config.MaxPositionEmbeddings).Select(place => (long)place)], 1, config.MaxPositionEmbeddings),
            Integers([0], 1), length, Integers([1], 1), Integers([1], 1));
        string sum = Node("Gather", Weight($"{prefix}.word_embeddings.weight"), "input_ids");
        if (config.TypeVocabSize > 0)
        {
            string types = style.HasTokenTypesInput ? "token_type_ids" : Node("Expand", Integers([0], 1, 1), Node("Shape", "input_ids"));
            sum = Node("Add", sum, Node("Gather", Weight($"{prefix}.token_type_embeddings.weight"), types));
        }
        return Norm(Node("Add", sum, Node("Gather", Weight($"{prefix}.position_embeddings.weight"), positions)), $"{prefix}.LayerNorm");
    }

    private string Layer(string prefix, string x, string mask)
    {
        string attended = Norm(Node("Add", Linear(Attention($"{prefix}.attention.self", x, mask), $"{prefix}.attention.output.dense"), x),
            $"{prefix}.attention.output.LayerNorm");
        string wide = Activate(Linear(attended, $"{prefix}.intermediate.dense"));
        return Norm(Node("Add", Linear(wide, $"{prefix}.output.dense"), attended), $"{prefix}.output.LayerNorm");
    }

    private string Attention(string prefix, string x, string mask)
    {
        string q = Split(Linear(x, $"{prefix}.query"), [0, 2, 1, 3]), k = Split(Linear(x, $"{prefix}.key"), [0, 2, 3, 1]),
            v = Split(Linear(x, $"{prefix}.value"), [0, 2, 1, 3]);
        string scores;
        if (style.ScalesBoth)
        {
            // As scaled_dot_product_attention is written out: each by the root of the scale, which comes from the shape.
            string size = Cast(Node("Slice", Node("Shape", q), Integers([-1], 1), Integers([long.MaxValue], 1)));
            string root = Node("Sqrt", Node("Div", Number(1), Node("Sqrt", size)));
            scores = Node("Add", Node("MatMul", Node("Mul", q, root), Node("Mul", k, root)), mask);
        }
        else scores = Node("Add", Node("Div", Node("MatMul", q, k), Number((float)Math.Sqrt(config.HeadSize))), mask);
        string context = Node("MatMul", Node("Softmax", [scores], OnnxGraphWriter.Attribute("axis", -1L)), v);
        return Node("Reshape", Node("Transpose", [context], OnnxGraphWriter.Attribute("perm", [0, 2, 1, 3])),
            Integers([0, 0, config.HiddenSize], 3));
    }

    private string Split(string projected, long[] order)
    {
        string shape = Node("Shape", projected);
        string batch = Node("Gather", shape, Integers([0], 1)), sequence = Node("Gather", shape, Integers([1], 1));
        string heads = style.ScalesBoth
            ? Node("Concat", [batch, sequence, Integers([-1], 1), Integers([config.HeadSize], 1)], OnnxGraphWriter.Attribute("axis", 0L))
            : Node("Concat", [batch, sequence, Integers([config.NumAttentionHeads], 1), Integers([config.HeadSize], 1)],
                OnnxGraphWriter.Attribute("axis", 0L));
        return Node("Transpose", [Node("Reshape", projected, heads)], OnnxGraphWriter.Attribute("perm", order));
    }

    private string Activate(string x)
    {
        if (config.HiddenAct == "relu") return Node("Relu", x);
        bool byTanh = config.HiddenAct == "gelu_new";
        if (style.HasGelu) return Node("Gelu", [x], new ProtobufWriter().Text(1, "approximate").Text(4, byTanh ? "tanh" : "none")
            .Integer(20, 3));
        if (!byTanh) return Node("Mul", Node("Mul", x, Node("Add", Node("Erf", Node("Div", x, Number(1.4142135f))), Number(1))),
            Number(0.5f));
        string cube = Node("Mul", Node("Mul", x, x), x);
        string inner = Node("Mul", Number(0.7978845608f), Node("Add", x, Node("Mul", Number(0.044715f), cube)));
        return Node("Mul", Node("Mul", Number(0.5f), x), Node("Add", Number(1), Node("Tanh", inner)));
    }

    private string Norm(string x, string prefix)
    {
        if (style.HasNormOperator)
            return Node("LayerNormalization", [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")],
                OnnxGraphWriter.Attribute("axis", -1L), OnnxGraphWriter.Attribute("epsilon", (float)config.LayerNormEps));
        string centred = Node("Sub", x, Mean(x));
        string deviation = Node("Sqrt", Node("Add", Mean(Node("Pow", centred, Number(2))), Number((float)config.LayerNormEps)));
        return Node("Add", Node("Mul", Node("Div", centred, deviation), Weight($"{prefix}.weight")), Weight($"{prefix}.bias"));
    }

    private string Mean(string x) => style.TakesAxesAsInput
        ? Node("ReduceMean", x, Integers([-1], 1))
        : Node("ReduceMean", [x], OnnxGraphWriter.Attribute("axes", [-1]));

    private string Linear(string x, string prefix, bool isFlat = false)
    {
        Tensor weight = weights[$"{prefix}.weight"];
        string bias = Weight($"{prefix}.bias");
        if (isFlat && style.HasGemm) return Node("Gemm", [x, Weight($"{prefix}.weight"), bias], OnnxGraphWriter.Attribute("transB", 1L));
        string matrix = style.FoldsTransposes ? Weight($"onnx::MatMul_{++names}", weight.t())
            : Node("Transpose", [Weight($"{prefix}.weight")], OnnxGraphWriter.Attribute("perm", [1, 0]));
        return Node("Add", bias, Node("MatMul", x, matrix));
    }

    private string Cast(string x) => Node("Cast", [x], OnnxGraphWriter.Attribute("to", (long)style.Dtype));

    private void Output(string value, string name)
    {
        Add("Identity", [value], name, []);
        graph.Message(12, Value(name, style.Dtype));
    }

    private string Node(string type, params string[] inputs) => Node(type, inputs, []);

    private string Node(string type, string[] inputs, params ProtobufWriter[] attributes) => Add(type, inputs, $"v{names++}", attributes);

    private string Add(string type, string[] inputs, string output, ProtobufWriter[] attributes)
    {
        var node = new ProtobufWriter();
        foreach (string input in inputs) node.Text(1, input);
        node.Text(2, output).Text(4, Rename(type));
        foreach (ProtobufWriter attribute in attributes) node.Message(5, attribute);
        graph.Message(1, node);
        return output;
    }

    private string Number(float value) => Constant(Tensor(style.Dtype, Bytes(tensor(value)), [], "", isSmall: true));

    private string Integers(long[] values, params long[] shape) =>
        Constant(Tensor(OnnxDtype.Int64, MemoryMarshal.AsBytes<long>(values).ToArray(), shape, "", isSmall: true));

    private string Weight(string name) => Weight(name, weights[name]);

    private string Weight(string name, Tensor weight)
    {
        if (style.Values == ValuesIn.ConstantNodes) return Constant(Tensor(style.Dtype, Bytes(weight), weight.shape, ""));
        string known = name.StartsWith("onnx", StringComparison.Ordinal) ? name : $"{name}.{names++}"; // torch shares no names, nor do we
        graph.Message(5, Tensor(style.Dtype, Bytes(weight), weight.shape, known));
        return known;
    }

    private string Constant(ProtobufWriter tensor) =>
        Node("Constant", [], new ProtobufWriter().Text(1, "value").Message(5, tensor).Integer(20, 4));

    private byte[] Bytes(Tensor weight) => weight.to(style.Dtype.ToTorch()).contiguous().bytes.ToArray();

    private ProtobufWriter Tensor(OnnxDtype dtype, byte[] bytes, long[] shape, string name, bool isSmall = false)
    {
        var tensor = new ProtobufWriter();
        foreach (long size in shape) tensor.Integer(1, size);
        tensor.Integer(2, (long)dtype).Text(8, name);
        if (isSmall || style.Values is ValuesIn.RawData or ValuesIn.ConstantNodes) return tensor.Bytes(9, bytes);
        if (style.Values == ValuesIn.FileBeside)
        {
            tensor.Message(13, Entry("location", Path.GetFileName(path) + ".data")).Message(13, Entry("offset", $"{beside.Position}"))
                .Message(13, Entry("length", $"{bytes.Length}")).Integer(14, 1);
            beside.Write(bytes);
            return tensor;
        }
        if (dtype == OnnxDtype.Float32) return tensor.Bytes(4, bytes);
        foreach (ushort value in MemoryMarshal.Cast<byte, ushort>(bytes)) tensor.Integer(5, value);
        return tensor;
    }

    private static ProtobufWriter Entry(string key, string value) => new ProtobufWriter().Text(1, key).Text(2, value);

    private static ProtobufWriter Value(string name, OnnxDtype dtype, params string[] dimensions)
    {
        ProtobufWriter type = new ProtobufWriter().Integer(1, (long)dtype);
        if (dimensions.Length > 0)
        {
            var shape = new ProtobufWriter();
            foreach (string dimension in dimensions) shape.Message(1, new ProtobufWriter().Text(2, dimension));
            type.Message(2, shape);
        }
        return new ProtobufWriter().Text(1, name).Message(2, new ProtobufWriter().Message(1, type));
    }
}
