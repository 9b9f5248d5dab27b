namespace ServerlessBert.Modeling.Onnx;

/// <summary>What follows the last layer, as far as a sequence classifier has it.</summary>
/// <param name="Pooler">The linear layer over the first token's state; null for none.</param>
/// <param name="PoolerActivation"><c>tanh</c> for BERT's pooler, <c>relu</c> for DistilBERT's pre_classifier; null for none.</param>
/// <param name="Classifier">The linear layer over the pooled state; null for none.</param>
internal sealed record OnnxHead(OnnxLinear? Pooler, string? PoolerActivation, OnnxLinear? Classifier)
{
    /// <summary>Finds the pooler and the classifier behind the last hidden states.</summary>
    public static OnnxHead Find(OnnxGraph graph, string hiddenStates, int hidden)
    {
        List<OnnxLinear> linears =
            [.. graph.Model.Nodes.Where(node => node.Type is "Gemm" or "Add").Select(node => OnnxLinear.Find(graph, node.Outputs[0]))
            .OfType<OnnxLinear>()];
        foreach (OnnxLinear pooler in linears.Where(linear => linear.Outputs == hidden && IsFirstToken(graph, linear.Input, hiddenStates)))
        {
            foreach (OnnxNode activation in graph.Model.Nodes.Where(node => node.Type is "Tanh" or "Relu"
                && graph.Canonical(node.Input(0)) == pooler.Output))
            {
                OnnxLinear? classifier = linears.FirstOrDefault(linear => graph.Canonical(linear.Input) == activation.Outputs[0]);
                return new OnnxHead(pooler, activation.Type.ToLowerInvariant(), classifier);
            }
        }
        return new OnnxHead(null, null, null);
    }

    // hidden_states[:, 0], as a Gather, or as a Slice whose dimension goes away.
    private static bool IsFirstToken(OnnxGraph graph, string value, string hiddenStates)
    {
        OnnxNode? node = graph.Producer(value);
        while (node?.Type is "Squeeze" or "Reshape") node = graph.Producer(node.Input(0));
        if (node is null || graph.Source(node.Input(0)) != hiddenStates) return false;
        return node.Type switch
        {
            "Gather" => node.Integer("axis", 0) == 1 && graph.Constant(node.Input(1))?.Scalar() == 0,
            "Slice" => Single(node, 1) == 0 && Single(node, 2) == 1 && Single(node, 3) == 1,
            _ => false,
        };

        double? Single(OnnxNode slice, int input) => graph.Constant(slice.Input(input))?.Scalar();
    }
}
