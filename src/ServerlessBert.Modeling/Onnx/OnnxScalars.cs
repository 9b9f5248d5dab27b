namespace ServerlessBert.Modeling.Onnx;

/// <summary>
/// Computes element-wise parts of a graph for one number: an activation is known by what it computes, not by the operators
/// that an exporter wrote it with.
/// </summary>
internal sealed class OnnxScalars(OnnxGraph graph)
{
    // Far above any activation; keeps a malicious graph from taking time and stack.
    private const int MaxDepth = 64;

    // Between them lie the places where gelu and its approximation by tanh are furthest apart (5e-4).
    private static readonly double[] Samples = [-4, -2.7, -2, -1, -0.5, 0.3, 0.8, 1.5, 2.3, 3];
    private const double Tolerance = 1e-3; // constants in float16

    /// <summary>The name that config.json has for the function from one value to another; null for any that it has no name for.</summary>
    public string? Activation(string output, string input)
    {
        double?[] values = [.. Samples.Select(sample => Evaluate(output, input, sample))];
        if (values.Any(value => value is null)) return null;
        (string Name, Func<double, double> Function)[] known = [("gelu", Gelu), ("gelu_new", GeluByTanh), ("relu", x => Math.Max(x, 0))];
        var (nearest, distance) = known
            .Select(each => (each.Name, Distance: Samples.Zip(values)
                .Max(pair => Math.Abs(each.Function(pair.First) - pair.Second!.Value))))
            .MinBy(each => each.Distance);
        return distance < Tolerance ? nearest : null;
    }

    /// <summary>A number that a graph computes from constants and from the last dimension of a value, <paramref
    /// name="lastDimension"/>.</summary>
    public double? Constant(string value, int lastDimension) => Evaluate(value, "", lastDimension);

    /// <summary>The values that element-wise operators compute an output from, up to those where <paramref name="isEnd"/> holds.</summary>
    public HashSet<string> Inputs(string output, Func<string, bool> isEnd)
    {
        HashSet<string> seen = [], ends = [];
        var open = new Stack<string>([graph.Source(output)]);
        while (open.TryPop(out string? value) && seen.Count <= MaxDepth)
        {
            if (!seen.Add(value) || graph.Constant(value) is not null) continue;
            if (isEnd(value) || graph.Producer(value) is not { } node || !IsElementWise(node.Type)) ends.Add(value);
            else foreach (string input in node.Inputs.Where(input => input.Length > 0)) open.Push(graph.Source(input));
        }
        return ends;
    }

    private static bool IsElementWise(string type) =>
        type is "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Neg" or "Sqrt" or "Reciprocal"
            or "Erf" or "Tanh" or "Sigmoid" or "Exp" or "Relu" or "Gelu";

    private double? Evaluate(string output, string input, double x)
    {
        var known = new Dictionary<string, double?>();
        return Value(output, MaxDepth);

        double? Value(string value, int depth)
        {
            value = graph.Source(value);
            if (value == input) return x;
            if (depth == 0) return null;
            if (!known.TryGetValue(value, out double? result)) known[value] = result = graph.Constant(value) is { } constant
                ? constant.Scalar() : Of(graph.Producer(value), depth - 1);
            return result;
        }

        double? Of(OnnxNode? node, int depth)
        {
            if (node is null) return null;
            // The size of a head, as exporters that trace shapes compute it.
            if (input == "" && node.Type is "Slice" or "Gather" && graph.Producer(node.Input(0), "Shape") is not null) return x;
            if (node.Type is "Squeeze" or "Unsqueeze") return Value(node.Input(0), depth);
            return IsElementWise(node.Type) && Value(node.Input(0), depth) is { } a ? Apply(node, a, () => Value(node.Input(1), depth))
                : null;
        }
    }

    private static double? Apply(OnnxNode node, double a, Func<double?> b) => node.Type switch
    {
        "Add" => a + b(),
        "Sub" => a - b(),
        "Mul" => a * b(),
        "Div" => a / b(),
        "Pow" => b() is { } power ? Math.Pow(a, power) : null,
        "Neg" => -a,
        "Sqrt" => Math.Sqrt(a),
        "Reciprocal" => 1 / a,
        "Erf" => Erf(a),
        "Tanh" => Math.Tanh(a),
        "Sigmoid" => 1 / (1 + Math.Exp(-a)),
        "Exp" => Math.Exp(a),
        "Relu" => Math.Max(a, 0),
        "Gelu" => node.Attributes.TryGetValue("approximate", out OnnxAttribute? how) && how.Text == "tanh" ? GeluByTanh(a) : Gelu(a),
        _ => null,
    };

    private static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    private static double GeluByTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    /// <summary>The error function to 1.2e-7 (Numerical Recipes, 3rd edition, section 6.2.2, erfc's Chebyshev fit).</summary>
    private static double Erf(double x)
    {
        double t = 1 / (1 + 0.5 * Math.Abs(x));
        double tail = t * Math.Exp(-x * x - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
            + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
        return x >= 0 ? 1 - tail : tail - 1;
    }
}
