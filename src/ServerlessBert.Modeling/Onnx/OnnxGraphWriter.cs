using System.Runtime.InteropServices;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>Builds an ONNX model, operator by operator; weights go into the file, or into one beside it, as large models have
/// them.</summary>
internal sealed class OnnxGraphWriter : IDisposable
{
    private const string RuntimeDomain = "com.microsoft"; // of ONNX Runtime's own operators

    private const int IrVersion = 8, Opset = 17, RuntimeOpset = 1; // LayerNormalization is of opset 17
    private const int FloatAttribute = 1, IntegerAttribute = 2, IntegersAttribute = 7;
    private const int Page = 4096; // ONNX Runtime maps weights that begin at a page

    private readonly string path;
    private readonly FileStream? external;
    private readonly ProtobufWriter graph = new();
    private readonly HashSet<string> domains = [""];
    private int names;

    /// <param name="path">The file to write; its folder is made where it is missing.</param>
    /// <param name="hasWeightsBeside">Whether weights go to <c>NAME.onnx_data</c>: a file above 2 GB cannot be read.</param>
    public OnnxGraphWriter(string path, bool hasWeightsBeside = false)
    {
        this.path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (hasWeightsBeside) external = File.Create(path + "_data");
        graph.Text(2, "bert");
    }

    /// <summary>Adds a float32 weight and gives its name.</summary>
    public string Weight(ReadOnlySpan<float> values, long[] shape, string? name = null) =>
        Initializer(OnnxDtype.Float32, MemoryMarshal.AsBytes(values), shape, name);

    /// <summary>Adds an int8 weight and gives its name.</summary>
    public string Weight(ReadOnlySpan<sbyte> values, long[] shape) =>
        Initializer(OnnxDtype.Int8, MemoryMarshal.AsBytes(values), shape, name: null);

    /// <summary>Adds int64 numbers and gives their name.</summary>
    public string Integers(long[] values, params long[] shape) => Integers(values, shape, name: null);

    /// <summary>Adds int64 numbers under a name.</summary>
    public string Integers(ReadOnlySpan<long> values, long[] shape, string? name) =>
        Initializer(OnnxDtype.Int64, MemoryMarshal.AsBytes(values), shape, name);

    /// <summary>Adds one of ONNX's operators with one output and gives that output's name.</summary>
    public string Node(string type, string[] inputs, params ProtobufWriter[] attributes) =>
        Node(type, "", inputs, [NewName()], attributes)[0];

    /// <summary>Adds ONNX Runtime's operators, and gives the names of their outputs.</summary>
    public string[] RuntimeNode(string type, string[] inputs, int outputs, params ProtobufWriter[] attributes) =>
        Node(type, RuntimeDomain, inputs, [.. Enumerable.Range(0, outputs).Select(_ => NewName())], attributes);

    /// <summary>Adds an operator that ONNX has, with several outputs, and gives their names.</summary>
    public string[] Node(string type, string[] inputs, int outputs) =>
        Node(type, "", inputs, [.. Enumerable.Range(0, outputs).Select(_ => NewName())], []);

    public static ProtobufWriter Attribute(string name, float value) =>
        new ProtobufWriter().Text(1, name).Float(2, value).Integer(20, FloatAttribute);

    public static ProtobufWriter Attribute(string name, long value) =>
        new ProtobufWriter().Text(1, name).Integer(3, value).Integer(20, IntegerAttribute);

    public static ProtobufWriter Attribute(string name, long[] values)
    {
        ProtobufWriter attribute = new ProtobufWriter().Text(1, name);
        foreach (long value in values) attribute.Integer(8, value);
        return attribute.Integer(20, IntegersAttribute);
    }

    /// <summary>Declares an input; its dimensions are named, and may be of any size.</summary>
    public void Input(string name, OnnxDtype dtype, params string[] dimensions) => graph.Message(11, Value(name, dtype, dimensions));

    /// <summary>Makes a value an output under a name of its own: a number is a dimension of that size, a name one of any size.</summary>
    public void Output(string value, string name, OnnxDtype dtype, params string[] dimensions)
    {
        Node("Identity", "", [value], [name], []);
        graph.Message(12, Value(name, dtype, dimensions));
    }

    /// <summary>Writes the file.</summary>
    public void Save()
    {
        external?.Flush();
        ProtobufWriter model = new ProtobufWriter().Integer(1, IrVersion).Text(2, "ServerlessBert").Message(7, graph);
        foreach (string domain in domains.Order(StringComparer.Ordinal))
            model.Message(8, new ProtobufWriter().Text(1, domain).Integer(2, domain.Length == 0 ? Opset : RuntimeOpset));
        string partial = path + ".partial";
        using (FileStream stream = File.Create(partial)) model.CopyTo(stream);
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>Closes the file of the weights.</summary>
    public void Dispose() => external?.Dispose();

    private string[] Node(string type, string domain, string[] inputs, string[] outputs, ProtobufWriter[] attributes)
    {
        var node = new ProtobufWriter();
        foreach (string input in inputs) node.Text(1, input);
        foreach (string output in outputs) node.Text(2, output);
        node.Text(3, NewName()).Text(4, type);
        foreach (ProtobufWriter attribute in attributes) node.Message(5, attribute);
        if (domain.Length > 0) node.Text(7, domain);
        domains.Add(domain);
        graph.Message(1, node);
        return outputs;
    }

    private string NewName() => $"t{names++}";

    private string Initializer(OnnxDtype dtype, ReadOnlySpan<byte> values, long[] shape, string? name)
    {
        name ??= NewName();
        var tensor = new ProtobufWriter();
        foreach (long size in shape) tensor.Integer(1, size);
        tensor.Integer(2, (long)dtype).Text(8, name);
        if (external is null) tensor.Bytes(9, values.ToArray());
        else
        {
            external.Position = (external.Position + Page - 1) / Page * Page;
            tensor.Message(13, Entry("location", Path.GetFileName(external.Name))).Message(13, Entry("offset", $"{external.Position}"))
                .Message(13, Entry("length", $"{values.Length}")).Integer(14, 1);
            external.Write(values);
        }
        graph.Message(5, tensor);
        return name;
    }

    private static ProtobufWriter Entry(string key, string value) => new ProtobufWriter().Text(1, key).Text(2, value);

    private static ProtobufWriter Value(string name, OnnxDtype dtype, string[] dimensions)
    {
        var shape = new ProtobufWriter();
        foreach (string dimension in dimensions)
            shape.Message(1, long.TryParse(dimension, out long size) ? new ProtobufWriter().Integer(1, size)
                : new ProtobufWriter().Text(2, dimension));
        return new ProtobufWriter().Text(1, name)
            .Message(2, new ProtobufWriter().Message(1, new ProtobufWriter().Integer(1, (long)dtype).Message(2, shape)));
    }
}
