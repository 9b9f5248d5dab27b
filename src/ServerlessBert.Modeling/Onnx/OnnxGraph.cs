namespace ServerlessBert.Modeling.Onnx;

/// <summary>A graph by its values: who makes each, who takes it, and which are constants.</summary>
internal sealed class OnnxGraph
{
    // What changes no number of the model: dropout does nothing but in training, and casts only round.
    private static readonly HashSet<string> Transparent = ["Identity", "Cast", "CastLike", "Dropout"];

    private readonly Dictionary<string, OnnxNode> producers = [];
    private readonly HashSet<string> inputs;
    private readonly Dictionary<string, OnnxTensor> constants;

    /// <exception cref="InvalidDataException">A value is made twice, or of itself.</exception>
    public OnnxGraph(OnnxModel model)
    {
        Model = model;
        inputs = [.. model.Inputs];
        constants = new(model.Initializers);
        var known = new HashSet<string>([.. model.Inputs, .. model.Initializers.Keys, ""]);
        foreach (OnnxNode node in model.Nodes)
        {
            if (node.Inputs.FirstOrDefault(input => !known.Contains(input)) is { } unknown)
                throw new InvalidDataException($"its {node.Type} takes '{unknown}', which no node before it makes");
            foreach (string output in node.Outputs.Where(output => output.Length > 0))
            {
                if (!known.Add(output)) throw new InvalidDataException($"the value '{output}' is made twice in it");
                producers.Add(output, node);
            }
            if (node.Type == "Constant" && node.Outputs.Count == 1 && ConstantOf(node) is { } constant)
                constants.Add(node.Outputs[0], constant);
        }
    }

    /// <summary>The file.</summary>
    public OnnxModel Model { get; }

    /// <summary>The operator that makes a value, seen through casts and the like; null for inputs and weights.</summary>
    public OnnxNode? Producer(string value) => producers.GetValueOrDefault(Canonical(value));

    /// <summary>The operator that makes a value, if it is of a type.</summary>
    public OnnxNode? Producer(string value, string type) => Producer(value) is { } node && node.Type == type ? node : null;

    /// <summary>The same value as it was before casts, dropouts and other names: two values are equal where these are.</summary>
    public string Canonical(string value)
    {
        // A node takes only what was made before it, so this ends.
        while (producers.TryGetValue(value, out OnnxNode? node) && Transparent.Contains(node.Type) && node.Inputs.Count > 0)
            value = node.Inputs[0];
        return value;
    }

    /// <summary>As <see cref="Canonical"/>, and before it was only laid out anew: as a matrix for a Gemm, and back.</summary>
    public string Source(string value)
    {
        while (Producer(value, "Reshape") is { } reshape) value = reshape.Input(0);
        return Canonical(value);
    }

    /// <summary>Whether a value is given by the caller of the model.</summary>
    public bool IsInput(string value) => inputs.Contains(Canonical(value));

    /// <summary>A constant, seen through casts; null for what is computed.</summary>
    public OnnxTensor? Constant(string value) => constants.GetValueOrDefault(Canonical(value));

    /// <summary>A constant of floating-point numbers with so many dimensions larger than 1.</summary>
    public OnnxTensor? Weight(string value, int dimensions) =>
        Constant(value) is { } constant && constant.Dtype.IsFloatingPoint() && constant.Shape.Count(size => size > 1) == dimensions
            ? constant : null;

    /// <summary>The two inputs of an operator, as one that fits <paramref name="isFirst"/> and the other, in whichever order they
    /// stand.</summary>
    public static (string First, string Second)? Pair(OnnxNode node, Func<string, bool> isFirst)
    {
        if (node.Inputs.Count != 2) return null;
        if (isFirst(node.Inputs[0])) return (node.Inputs[0], node.Inputs[1]);
        return isFirst(node.Inputs[1]) ? (node.Inputs[1], node.Inputs[0]) : null;
    }

    private static OnnxTensor? ConstantOf(OnnxNode node)
    {
        if (node.Attributes.TryGetValue("value", out OnnxAttribute? value)) return value.Tensor;
        if (node.Attributes.TryGetValue("value_float", out value)) return OnnxTensor.Create(OnnxDtype.Float32, [],
            BitConverter.GetBytes(value.Float));
        if (node.Attributes.TryGetValue("value_int", out value)) return OnnxTensor.Create(OnnxDtype.Int64, [],
            BitConverter.GetBytes(value.Integer));
        return node.Attributes.TryGetValue("value_ints", out value)
            ? OnnxTensor.Create(OnnxDtype.Int64, [value.Integers.Count], [.. value.Integers.SelectMany(BitConverter.GetBytes)])
            : null;
    }
}
