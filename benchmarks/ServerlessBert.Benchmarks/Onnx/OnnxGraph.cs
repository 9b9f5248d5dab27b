namespace ServerlessBert.Benchmarks.Onnx;

/// <summary>Builds an ONNX model whose weights lie in a file beside it (external data), as large models have them.</summary>
internal sealed class OnnxGraph : IDisposable
{
    /// <summary>The domain of ONNX Runtime's fused operators.</summary>
    public const string Fused = "com.microsoft";

    private const string WeightsFile = "weights.bin";
    private const int Float32 = 1, UInt8 = 2, Int8 = 3, Int32 = 6, Int64 = 7;
    private const int Page = 4096; // ONNX Runtime maps weights that begin at a page

    private readonly string _folder;
    private readonly FileStream _weights;
    private readonly OnnxMessage _graph = new OnnxMessage().Text(2, "bert");
    private int _names;

    public OnnxGraph(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        _weights = File.Create(Path.Combine(folder, WeightsFile));
    }

    /// <summary>Adds a float32 weight and gives its name.</summary>
    public string Weight(ReadOnlySpan<float> values, params long[] shape) => Initializer(Float32, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape);

    /// <summary>Adds an int8 weight and gives its name.</summary>
    public string Weight(ReadOnlySpan<sbyte> values, params long[] shape) => Initializer(Int8, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values), shape);

    /// <summary>Adds int64 numbers and gives their name.</summary>
    public string Integers(long[] values, params long[] shape) => Initializer(Int64, System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(values), shape);

    /// <summary>Adds an operator with one output and gives that output's name.</summary>
    public string Node(string type, string domain, string[] inputs, params OnnxMessage[] attributes) => Node(type, domain, inputs, 1, attributes)[0];

    /// <summary>Adds an operator and gives its outputs' names.</summary>
    public string[] Node(string type, string domain, string[] inputs, int outputs, params OnnxMessage[] attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => NewName())];
        var node = new OnnxMessage();
        foreach (string input in inputs) node.Text(1, input);
        foreach (string output in names) node.Text(2, output);
        node.Text(3, NewName()).Text(4, type);
        foreach (OnnxMessage attribute in attributes) node.Message(5, attribute);
        node.Text(7, domain);
        _graph.Message(1, node);
        return names;
    }

    public static OnnxMessage Attribute(string name, float value) => new OnnxMessage().Text(1, name).Float(2, value).Integer(20, 1);

    public static OnnxMessage Attribute(string name, long value) => new OnnxMessage().Text(1, name).Integer(3, value).Integer(20, 2);

    /// <summary>Declares an int32 input of [batch, sequence].</summary>
    public void Input(string name) => _graph.Message(11, Value(name, Int32, ["batch", "sequence"]));

    /// <summary>Declares the float32 output of [batch, labels], and writes the model.</summary>
    /// <returns>The model's path.</returns>
    public string Save(string output)
    {
        _graph.Message(12, Value(output, Float32, ["batch", "labels"]));
        _weights.Flush();
        OnnxMessage model = new OnnxMessage().Integer(1, 8).Text(2, "ServerlessBert.Benchmarks").Message(7, _graph)
            .Message(8, new OnnxMessage().Text(1, "").Integer(2, 17)).Message(8, new OnnxMessage().Text(1, Fused).Integer(2, 1));
        string path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToArray());
        return path;
    }

    public void Dispose() => _weights.Dispose();

    private string Initializer(int type, ReadOnlySpan<byte> values, long[] shape)
    {
        _weights.Position = (_weights.Position + Page - 1) / Page * Page;
        string name = NewName();
        var tensor = new OnnxMessage();
        foreach (long size in shape) tensor.Integer(1, size);
        tensor.Integer(2, type).Text(8, name)
            .Message(13, Entry("location", WeightsFile)).Message(13, Entry("offset", $"{_weights.Position}")).Message(13, Entry("length", $"{values.Length}"))
            .Integer(14, 1);
        _weights.Write(values);
        _graph.Message(5, tensor);
        return name;
    }

    private static OnnxMessage Entry(string key, string value) => new OnnxMessage().Text(1, key).Text(2, value);

    private static OnnxMessage Value(string name, int type, string[] sizes)
    {
        var shape = new OnnxMessage();
        foreach (string size in sizes) shape.Message(1, new OnnxMessage().Text(2, size));
        return new OnnxMessage().Text(1, name).Message(2, new OnnxMessage().Message(1, new OnnxMessage().Integer(1, type).Message(2, shape)));
    }

    private string NewName() => $"t{_names++}";
}
