namespace ServerlessBert.Modeling.Onnx;

/// <summary>What of an ONNX file is needed to follow its graph; field numbers are those of onnx.proto
/// (https://github.com/onnx/onnx).</summary>
/// <param name="Path">The file.</param>
/// <param name="Nodes">The operators, in the order of the file.</param>
/// <param name="Initializers">The weights, by name.</param>
/// <param name="Inputs">The names of what a caller gives.</param>
/// <param name="Outputs">The names of what a caller gets.</param>
/// <param name="HasFunctions">Whether operators are defined in the file itself.</param>
internal sealed record OnnxModel(
    string Path, IReadOnlyList<OnnxNode> Nodes, IReadOnlyDictionary<string, OnnxTensor> Initializers,
    IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, bool HasFunctions)
{
    /// <summary>Reads a file; weights in files beside it are read later, when they are asked for.</summary>
    /// <exception cref="OnnxException">The file is not there, or not a valid ONNX model.</exception>
    public static OnnxModel Read(string path)
    {
        if (!File.Exists(path)) throw new OnnxException($"File not found: {path}.");
        if (new FileInfo(path)
            .Length > Array.MaxLength) throw new OnnxException($"{path} is larger than the 2 GB that an ONNX file can have.");
        try
        {
            return Parse(path, File.ReadAllBytes(path),
                new OnnxExternalData(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!));
        }
        catch (InvalidDataException exception)
        {
            throw NotValid(path, exception);
        }
    }

    /// <summary>The sentence about a file whose bytes are not those of a model.</summary>
    public static OnnxException NotValid(string path, InvalidDataException exception) =>
        new($"{path} cannot be read as an ONNX model: {exception.Message}.", exception);

    private static OnnxModel Parse(string path, ReadOnlyMemory<byte> bytes, OnnxExternalData external)
    {
        ReadOnlyMemory<byte>? graph = null;
        bool hasFunctions = false;
        foreach (ProtobufField field in ProtobufReader.Fields(bytes))
        {
            if (field.Number == 7) graph = field.Bytes;
            else if (field.Number == 25) hasFunctions = true;
        }
        if (graph is null) throw new InvalidDataException("it has no graph");

        var nodes = new List<OnnxNode>();
        var initializers = new Dictionary<string, OnnxTensor>();
        List<string> inputs = [], outputs = [];
        foreach (ProtobufField field in ProtobufReader.Fields(graph.Value))
        {
            if (field.Number == 1) nodes.Add(OnnxNode.Parse(field.Bytes, external));
            else if (field.Number == 5) Add(OnnxTensor.Parse(field.Bytes, external));
            else if (field.Number == 11) inputs.Add(NameOf(field.Bytes));
            else if (field.Number == 12) outputs.Add(NameOf(field.Bytes));
        }
        // Until IR version 4 every weight was listed as an input too.
        return new OnnxModel(path, nodes, initializers, [.. inputs.Where(input => !initializers.ContainsKey(input))], outputs,
            hasFunctions);

        void Add(OnnxTensor tensor)
        {
            if (!initializers.TryAdd(tensor.Name, tensor)) throw new InvalidDataException($"tensor '{tensor.Name}' stands twice in it");
        }
    }

    private static string NameOf(ReadOnlyMemory<byte> valueInfo) =>
        ProtobufReader.Fields(valueInfo).LastOrDefault(field => field.Number == 1).Text;
}

/// <summary>An operator of the graph.</summary>
/// <param name="Type">Its name: MatMul, Add, …</param>
/// <param name="Domain">Whose operator it is; empty for ONNX's own.</param>
/// <param name="Inputs">The values that it takes; an empty name where an optional one is left out.</param>
/// <param name="Outputs">The values that it gives.</param>
/// <param name="Attributes">Its attributes, by name.</param>
internal sealed record OnnxNode(string Type, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs,
    IReadOnlyDictionary<string, OnnxAttribute> Attributes)
{
    /// <summary>Reads a NodeProto.</summary>
    public static OnnxNode Parse(ReadOnlyMemory<byte> message, OnnxExternalData external)
    {
        string type = "", domain = "";
        List<string> inputs = [], outputs = [];
        var attributes = new Dictionary<string, OnnxAttribute>();
        foreach (ProtobufField field in ProtobufReader.Fields(message))
        {
            if (field.Number == 1) inputs.Add(field.Text);
            else if (field.Number == 2) outputs.Add(field.Text);
            else if (field.Number == 4) type = field.Text;
            else if (field.Number == 7) domain = field.Text;
            else if (field.Number == 5)
            {
                var attribute = OnnxAttribute.Parse(field.Bytes, external);
                attributes[attribute.Name] = attribute;
            }
        }
        return new OnnxNode(type, domain is "ai.onnx" ? "" : domain, inputs, outputs, attributes);
    }

    /// <summary>An input's name, empty where it is left out.</summary>
    public string Input(int index) => index < Inputs.Count ? Inputs[index] : "";

    /// <summary>An integer attribute, or its default.</summary>
    public long Integer(string name, long whenAbsent) =>
        Attributes.TryGetValue(name, out OnnxAttribute? attribute) ? attribute.Integer : whenAbsent;

    /// <summary>A float attribute, or its default.</summary>
    public float Float(string name, float whenAbsent) =>
        Attributes.TryGetValue(name, out OnnxAttribute? attribute) ? attribute.Float : whenAbsent;
}

/// <summary>An attribute of an operator; of the kinds of value, it has one.</summary>
internal sealed record OnnxAttribute(string Name, long Integer, float Float, string Text, IReadOnlyList<long> Integers, OnnxTensor? Tensor)
{
    /// <summary>Reads an AttributeProto.</summary>
    public static OnnxAttribute Parse(ReadOnlyMemory<byte> message, OnnxExternalData external)
    {
        var integers = new List<long>();
        var attribute = new OnnxAttribute("", 0, 0, "", integers, null);
        foreach (ProtobufField field in ProtobufReader.Fields(message))
        {
            if (field.Number == 8) integers.AddRange(field.Integers);
            attribute = field.Number switch
            {
                1 => attribute with { Name = field.Text },
                2 => attribute with { Float = field.Float },
                3 => attribute with { Integer = field.Integer },
                4 => attribute with { Text = field.Text },
                5 => attribute with { Tensor = OnnxTensor.Parse(field.Bytes, external) },
                _ => attribute,
            };
        }
        return attribute;
    }
}
