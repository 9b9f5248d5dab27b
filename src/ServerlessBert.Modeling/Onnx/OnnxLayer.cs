using ServerlessBert.Modeling.Bert;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>One encoder layer of a graph.</summary>
/// <param name="Attention">Its first half.</param>
/// <param name="Intermediate">The wide half of the feed-forward layer.</param>
/// <param name="Output">The narrow half.</param>
/// <param name="HiddenAct">What stands between them, as config.json names it.</param>
/// <param name="Norm">The LayerNorm that ends the layer.</param>
internal sealed record OnnxLayer(OnnxAttention Attention, OnnxLinear Intermediate, OnnxLinear Output, string HiddenAct, OnnxLayerNorm Norm)
{
    /// <summary>The layer that takes these hidden states; null behind the last.</summary>
    /// <exception cref="NotSupportedException">There is one, but it is not BERT's.</exception>
    public static OnnxLayer? Find(OnnxGraph graph, IReadOnlyList<OnnxLayerNorm> norms, string hiddenStates, int hidden)
    {
        if (AddAndNorm(graph, norms, hiddenStates) is not var (projection, attended)) return null;
        OnnxAttention attention = OnnxAttention.Find(graph, projection, attended, hiddenStates, hidden);
        if (AddAndNorm(graph, norms, attended.Output) is not var (output, norm))
            throw new NotSupportedException("a feed-forward layer with a residual and a LayerNorm does not follow its attention");
        var scalars = new OnnxScalars(graph);
        HashSet<string> inputs = scalars.Inputs(output.Input, value => OnnxLinear.Find(graph, value) is not null);
        if (inputs.Count != 1 || OnnxLinear.Find(graph, inputs.Single()) is not { } intermediate
            || graph.Source(intermediate.Input) != attended.Output)
            throw new NotSupportedException("its feed-forward layer is not two linear layers with an activation between them");
        string activation = scalars.Activation(output.Input, intermediate.Output)
            ?? throw new NotSupportedException($"its activation is not one of {Activation.Names}");
        return new OnnxLayer(attention, intermediate, output, activation, norm);
    }

    /// <summary>The linear layer and the LayerNorm of <c>LayerNorm(linear + residual)</c>.</summary>
    private static (OnnxLinear Linear, OnnxLayerNorm Norm)? AddAndNorm(OnnxGraph graph, IReadOnlyList<OnnxLayerNorm> norms, string residual)
    {
        foreach (OnnxLayerNorm norm in norms)
        {
            if (graph.Producer(norm.Input, "Add") is not { } add) continue;
            if (OnnxGraph.Pair(add, input => graph.Source(input) == residual) is var (_, other)
                && OnnxLinear.Find(graph, other) is { } linear) return (linear, norm);
        }
        return null;
    }
}

/// <summary>Self-attention of a graph, with its output layer and LayerNorm.</summary>
/// <param name="Query">The query's layer.</param>
/// <param name="Key">The key's layer.</param>
/// <param name="Value">The value's layer.</param>
/// <param name="Output">The layer that follows the heads.</param>
/// <param name="Norm">The LayerNorm over that and the residual.</param>
/// <param name="Heads">The number of heads.</param>
internal sealed record OnnxAttention(OnnxLinear Query, OnnxLinear Key, OnnxLinear Value, OnnxLinear Output, OnnxLayerNorm Norm, int Heads)
{
    private const double ScaleTolerance = 2e-3; // constants in float16

    // How an operator changes what the scores are multiplied by: a factor, and whether it divides.
    private readonly record struct Factor(string Value, bool Divides);

    /// <summary>Follows the graph from the output layer back to the three projections of the hidden states.</summary>
    /// <exception cref="NotSupportedException">It is not BERT's.</exception>
    public static OnnxAttention Find(OnnxGraph graph, OnnxLinear output, OnnxLayerNorm norm, string hiddenStates, int hidden)
    {
        if (Unshaped(graph, output.Input) is not { Type: "MatMul" } context)
            throw new NotSupportedException("its attention does not multiply probabilities and values before its output layer");
        OnnxNode softmax = Softmax(graph, context.Input(0));
        List<Factor> factors = [];
        OnnxNode scores = Scores(graph, softmax.Input(0), factors)
            ?? throw new NotSupportedException("its attention's Softmax is not of a product of queries and keys");
        var (query, heads) = Projection(graph, scores.Input(0), hiddenStates, hidden, factors);
        var (key, keyHeads) = Projection(graph, scores.Input(1), hiddenStates, hidden, factors);
        var (value, valueHeads) = Projection(graph, context.Input(1), hiddenStates, hidden, []);
        if (heads != keyHeads || heads != valueHeads)
            throw new NotSupportedException(
                $"its queries, keys and values have {heads}, {keyHeads} and {valueHeads} heads, where BERT has as many of each");
        RequireScale(graph, factors, hidden / heads);
        return new OnnxAttention(query, key, value, output, norm, heads);
    }

    // Behind the Softmax an exporter may put a Where: rows that are all padding become 0 instead of NaN.
    private static OnnxNode Softmax(OnnxGraph graph, string probabilities)
    {
        OnnxNode? node = graph.Producer(probabilities);
        if (node?.Type == "Where") node = graph.Producer(node.Input(2), "Softmax") ?? graph.Producer(node.Input(1), "Softmax");
        return node is { Type: "Softmax" } && node.Integer("axis", -1) is -1 or 3
            ? node
            : throw new NotSupportedException("its attention has no Softmax over the keys");
    }

    private static OnnxNode? Scores(OnnxGraph graph, string value, List<Factor> factors)
    {
        OnnxNode? node = graph.Producer(value);
        string? mask = null;
        while (node is not null && node.Type != "MatMul")
        {
            if (node.Type is "Mul" or "Div" && Scale(graph, node) is var (scaled, factor))
            {
                factors.Add(factor);
                node = graph.Producer(scaled);
                continue;
            }
            // The mask is added, or chooses the scores: once.
            if (mask is not null || node.Type is not ("Add" or "Where")) return null;
            string[] branches = node.Type == "Add" ? [node.Input(0), node.Input(1)] : [node.Input(1), node.Input(2)];
            string? next = branches.FirstOrDefault(branch => ReachesProduct(graph, branch));
            if (next is null) return null;
            mask = node.Type == "Add" ? branches.First(branch => branch != next) : node.Input(0);
            OnnxMask.Require(graph, mask);
            node = graph.Producer(next);
        }
        return node;
    }

    private static bool ReachesProduct(OnnxGraph graph, string value)
    {
        for (int step = 0; step < 4 && graph.Producer(value) is { } node; step++)
        {
            if (node.Type == "MatMul") return true;
            if (node.Type is not ("Mul" or "Div") || Scale(graph, node) is not var (scaled, _)) return false;
            value = scaled;
        }
        return false;
    }

    private static (OnnxLinear Linear, int Heads) Projection(OnnxGraph graph, string value, string hiddenStates, int hidden,
        List<Factor> factors)
    {
        int heads = 0;
        while (true)
        {
            OnnxNode? node = graph.Producer(value);
            if (node?.Type == "Reshape")
            {
                // The last one before the layer splits the heads; others only lay out products.
                if (OnnxShapes.Heads(graph, node.Input(1), hidden) is { } split) heads = split;
                value = node.Input(0);
            }
            else if (node?.Type == "Transpose") value = node.Input(0);
            else if (OnnxLinear.Find(graph, value) is { } linear && graph.Source(linear.Input) == hiddenStates)
            {
                return heads > 0 ? (linear, heads)
                    : throw new NotSupportedException("the number of its heads does not stand in a Reshape of its queries");
            }
            else if (node?.Type is "Mul" or "Div" && Scale(graph, node) is var (scaled, factor))
            {
                factors.Add(factor);
                value = scaled;
            }
            else throw new NotSupportedException($"its attention takes its queries, keys and values through {node?.Type ?? "an input"}, "
                + "where BERT has linear layers");
        }
    }

    // What is scaled, and by what; the factor is computed from constants and sizes.
    private static (string Scaled, Factor Factor)? Scale(OnnxGraph graph, OnnxNode node)
    {
        var scalars = new OnnxScalars(graph);
        if (scalars.Constant(node.Input(1), 1) is not null) return (node.Input(0), new Factor(node.Input(1), node.Type == "Div"));
        return node.Type == "Mul" && scalars.Constant(node.Input(0), 1) is not null ? (node.Input(1), new Factor(node.Input(0), false))
            : null;
    }

    private static void RequireScale(OnnxGraph graph, List<Factor> factors, int headSize)
    {
        double scale = 1, expected = 1 / Math.Sqrt(headSize);
        foreach (Factor factor in factors)
        {
            double value = new OnnxScalars(graph).Constant(factor.Value, headSize) ?? 0;
            scale *= factor.Divides ? 1 / value : value;
        }
        if (!(Math.Abs(scale / expected - 1) < ScaleTolerance))
            throw new NotSupportedException(
                $"its attention scales its scores by {scale:0.####}, where BERT's heads of {headSize} take {expected:0.####}");
    }

    private static OnnxNode? Unshaped(OnnxGraph graph, string value)
    {
        OnnxNode? node = graph.Producer(value);
        while (node?.Type is "Reshape" or "Transpose") node = graph.Producer(node.Input(0));
        return node;
    }
}

/// <summary>What may be masked in a BERT: padding, and nothing else.</summary>
internal static class OnnxMask
{
    private static readonly HashSet<string> Comparisons = ["Trilu", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"];

    /// <summary>Refuses masks that look at places or are learned.</summary>
    /// <exception cref="NotSupportedException">The scores depend on more than on which tokens are padding.</exception>
    public static void Require(OnnxGraph graph, string mask)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([mask]);
        while (open.TryPop(out string? value))
        {
            if (!seen.Add(value)) continue;
            OnnxTensor? constant = graph.Constant(value);
            if (constant?.Shape.Count(size => size > 1) >= 2)
                throw new NotSupportedException(constant.Dtype.IsFloatingPoint()
                    ? "its attention adds a learned bias to its scores, as MPNet's and T5's does"
                    : "its attention looks only backwards, as a decoder's does");
            if (constant is not null || graph.Producer(value) is not { } node) continue;
            if (Comparisons.Contains(node.Type)) throw new NotSupportedException("its attention looks only backwards, as a decoder's does");
            foreach (string input in node.Inputs.Where(input => input.Length > 0)) open.Push(input);
        }
    }
}

/// <summary>Shapes that a graph gives to Reshape.</summary>
internal static class OnnxShapes
{
    /// <summary>The heads of [batch, sequence, heads, head size]; null for a shape of another kind.</summary>
    public static int? Heads(OnnxGraph graph, string shape, int hidden)
    {
        List<long?> sizes = Sizes(graph, shape);
        if (sizes is not [_, _, var heads, var size] || size is null) return null;
        long split = heads is > 0 ? heads.Value : size.Value > 0 ? hidden / size.Value : 0;
        return split > 0 && hidden % split == 0 && (size.Value == hidden / split || size.Value == -1) ? (int)split : null;
    }

    private static List<long?> Sizes(OnnxGraph graph, string shape)
    {
        if (graph.Constant(shape)?.Integers() is { } constant) return [.. constant.Take(8).Select(size => (long?)size)];
        return graph.Producer(shape, "Concat") is { } concat
            ? [.. concat.Inputs.Take(8).SelectMany(part => graph.Constant(part)?.Integers()?.Take(8).Select(size => (long?)size) ?? [null])]
            : [];
    }
}
