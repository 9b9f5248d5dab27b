namespace ServerlessBert.Modeling.Onnx;

/// <summary>A linear layer in a graph: <c>Add(bias, MatMul(x, W))</c>, or one Gemm.</summary>
/// <param name="Input">x.</param>
/// <param name="Output">The value after the bias.</param>
/// <param name="Weight">W.</param>
/// <param name="IsTransposed">Whether W stands as [inputs, outputs], the other way around than a checkpoint has it.</param>
/// <param name="Bias">The bias, [outputs].</param>
internal sealed record OnnxLinear(string Input, string Output, OnnxTensor Weight, bool IsTransposed, OnnxTensor Bias)
{
    public int Inputs => (int)Weight.Shape[IsTransposed ? 0 : 1];

    public int Outputs => (int)Weight.Shape[IsTransposed ? 1 : 0];

    /// <summary>The linear layer that makes a value, or null.</summary>
    public static OnnxLinear? Find(OnnxGraph graph, string value)
    {
        value = graph.Source(value);
        OnnxLinear? linear = graph.Producer(value) switch
        {
            { Type: "Gemm" } gemm => OfGemm(graph, gemm, value),
            { Type: "Add" } add => OfAdd(graph, add, value),
            _ => null,
        };
        return linear is not null && linear.Bias.Count == linear.Outputs ? linear : null;
    }

    private static OnnxLinear? OfGemm(OnnxGraph graph, OnnxNode gemm, string output)
    {
        if (gemm.Integer("transA", 0) != 0 || gemm.Float("alpha", 1) != 1 || gemm.Float("beta", 1) != 1) return null;
        return Matrix(graph, gemm.Input(1)) is var (weight, isTurned) && graph.Weight(gemm.Input(2), 1) is { } bias
            ? new OnnxLinear(gemm.Input(0), output, weight, isTurned == (gemm.Integer("transB", 0) != 0), bias)
            : null;
    }

    private static OnnxLinear? OfAdd(OnnxGraph graph, OnnxNode add, string output)
    {
        if (OnnxGraph.Pair(add, input => graph.Weight(input, 1) is not null) is not var (biasName, product)) return null;
        if (graph.Producer(product, "MatMul") is not { } matMul
            || Matrix(graph, matMul.Input(1)) is not var (weight, isTurned)) return null;
        return new OnnxLinear(matMul.Input(0), output, weight, !isTurned, graph.Weight(biasName, 1)!);
    }

    // A matrix, and whether a Transpose stands between it and its use: exporters that fold no constants leave one there.
    private static (OnnxTensor Weight, bool IsTurned)? Matrix(OnnxGraph graph, string value)
    {
        bool isTurned = false;
        if (graph.Producer(value, "Transpose") is { } transpose)
        {
            if (!transpose.Attributes.TryGetValue("perm", out OnnxAttribute? order) || !order.Integers.SequenceEqual([1, 0])) return null;
            (value, isTurned) = (transpose.Inputs[0], true);
        }
        return graph.Constant(value) is { Shape.Length: 2 } weight && weight.Dtype.IsFloatingPoint() ? (weight, isTurned) : null;
    }
}

/// <summary>A LayerNorm over the last dimension in a graph: one operator, or the mean, variance and scaling that it stands for.</summary>
/// <param name="Input">What is normalized.</param>
/// <param name="Output">The value after the bias.</param>
/// <param name="Weight">The scale, [hidden].</param>
/// <param name="Bias">The bias, [hidden].</param>
/// <param name="Epsilon">What is added to the variance.</param>
internal sealed record OnnxLayerNorm(string Input, string Output, OnnxTensor Weight, OnnxTensor Bias, double Epsilon)
{
    private const float DefaultEpsilon = 1e-5f; // ONNX's

    /// <summary>The LayerNorm that ends in an operator, or null.</summary>
    public static OnnxLayerNorm? Find(OnnxGraph graph, OnnxNode node) => node.Type switch
    {
        "LayerNormalization" => OfOperator(graph, node),
        "Add" => OfParts(graph, node),
        _ => null,
    };

    private static OnnxLayerNorm? OfOperator(OnnxGraph graph, OnnxNode node) =>
        node.Integer("axis", -1) is -1 or 2 && graph.Weight(node.Input(1), 1) is { } weight && graph.Weight(node.Input(2), 1) is { } bias
            ? new OnnxLayerNorm(node.Input(0), node.Outputs[0], weight, bias, Decimal(node.Float("epsilon", DefaultEpsilon)))
            : null;

    private static OnnxLayerNorm? OfParts(OnnxGraph graph, OnnxNode add)
    {
        if (OnnxGraph.Pair(add, IsVector) is not var (bias, scaled) || graph.Producer(scaled, "Mul") is not { } mul) return null;
        if (OnnxGraph.Pair(mul, IsVector) is not var (weight, normalized)) return null;
        if (graph.Producer(normalized) is not { } division || Deviation(graph, division) is not { } deviation) return null;
        if (graph.Producer(deviation, "Sqrt") is not { } root || graph.Producer(root.Input(0), "Add") is not { } sum) return null;
        if (OnnxGraph.Pair(sum, input => graph.Constant(input)?.Scalar() is not null) is not var (epsilon, variance)) return null;
        if (Mean(graph, variance) is not { } square || Squared(graph, square) is not { } centred) return null;
        if (Centred(graph, centred) is not { } input || Centred(graph, division.Input(0)) != input) return null;
        return new OnnxLayerNorm(
            input, add.Outputs[0], graph.Weight(weight, 1)!, graph.Weight(bias, 1)!,
                Decimal((float)graph.Constant(epsilon)!.Scalar()!.Value));

        bool IsVector(string value) => graph.Weight(value, 1) is not null;
    }

    // x / d, or x * (1 / d).
    private static string? Deviation(OnnxGraph graph, OnnxNode node) => node.Type switch
    {
        "Div" => node.Input(1),
        "Mul" => graph.Producer(node.Input(1), "Reciprocal")?.Input(0),
        _ => null,
    };

    private static string? Squared(OnnxGraph graph, string value) => graph.Producer(value) switch
    {
        { Type: "Pow" } power when graph.Constant(power.Input(1))?.Scalar() == 2 => graph.Canonical(power.Input(0)),
        { Type: "Mul" } product when graph.Canonical(product.Input(0)) == graph.Canonical(product.Input(1)) =>
            graph.Canonical(product.Input(0)),
        _ => null,
    };

    /// <summary>x of <c>x - mean(x)</c>.</summary>
    private static string? Centred(OnnxGraph graph, string value) =>
        graph.Producer(value, "Sub") is { } difference && Mean(graph, difference.Input(1)) is { } mean
            && mean == graph.Canonical(difference.Input(0)) ? mean : null;

    // The axes are an attribute until opset 17, an input from 18 on.
    private static string? Mean(OnnxGraph graph, string value)
    {
        if (graph.Producer(value, "ReduceMean") is not { } mean) return null;
        IReadOnlyList<long>? axes = mean.Attributes.TryGetValue("axes", out OnnxAttribute? attribute) ? attribute.Integers
            : graph.Constant(mean.Input(1))?.Integers();
        return axes is [-1] or [2] ? graph.Canonical(mean.Input(0)) : null;
    }

    // 9.99999996e-13 is the float32 of 1e-12, which is what config.json says; its float16 is 0.
    private static double Decimal(float epsilon) => epsilon == 0 ? 1e-12 : double.Parse(
        epsilon.ToString(System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
