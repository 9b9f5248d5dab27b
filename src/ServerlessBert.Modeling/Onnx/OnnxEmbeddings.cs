namespace ServerlessBert.Modeling.Onnx;

/// <summary>The embeddings of a graph: rows of up to three matrices, summed and normalized.</summary>
/// <param name="Words">[vocabulary, hidden].</param>
/// <param name="Positions">[positions, hidden]; its leading 1 where a fixed length was folded into it is dropped by the count
/// alone.</param>
/// <param name="TokenTypes">[types, hidden], or the row of type 0 that an export without token types keeps; null for none.</param>
/// <param name="Norm">The LayerNorm over their sum.</param>
internal sealed record OnnxEmbeddings(OnnxTensor Words, OnnxTensor Positions, OnnxTensor? TokenTypes, OnnxLayerNorm Norm)
{
    public int Hidden => (int)Words.Shape[1];

    /// <summary>Finds the sum whose LayerNorm the encoder starts from.</summary>
    /// <exception cref="NotSupportedException">There is none, or it is not BERT's.</exception>
    public static OnnxEmbeddings Find(OnnxGraph graph, IEnumerable<OnnxLayerNorm> norms)
    {
        foreach (OnnxLayerNorm norm in norms)
        {
            List<string> terms = Terms(graph, norm.Input);
            List<OnnxNode> lookups =
                [.. terms.Select(term => graph.Producer(term, "Gather")).OfType<OnnxNode>().Where(gather => IsTable(graph, gather))];
            if (lookups.Count > 0) return Of(graph, norm, terms, lookups);
        }
        throw new NotSupportedException(
            "it has no sum of word and position embeddings under a LayerNorm, which BERT begins with");
    }

    private static OnnxEmbeddings Of(OnnxGraph graph, OnnxLayerNorm norm, List<string> terms, List<OnnxNode> lookups)
    {
        // Word ids are an input; so may token types be, whose table is the smaller by far.
        var byInput = lookups.Where(gather => graph.IsInput(gather.Input(1))).Select(Table).OrderByDescending(table => table.Shape[0])
            .ToList();
        var byPlace = lookups.Where(gather => !graph.IsInput(gather.Input(1))).ToList();
        var positions = byPlace.Where(gather => OnnxIndices.IsPositions(graph, gather.Input(1))).Select(Table).ToList();
        var zeros = byPlace.Where(gather => !OnnxIndices.IsPositions(graph, gather.Input(1))).Select(Table);
        var folded = terms.Select(graph.Constant).OfType<OnnxTensor>().ToList();
        positions.AddRange(folded.Where(constant => constant.Shape.Count(size => size > 1) == 2));
        List<OnnxTensor> types = [.. byInput.Skip(1), .. zeros, .. folded.Where(constant => constant.Shape.Count(size => size > 1) == 1)];
        if (byInput.Count is < 1 or > 2 || positions.Count != 1 || types.Count > 1 || 1 + positions.Count + types.Count != terms.Count)
            throw new NotSupportedException(
                $"its embeddings sum {terms.Count} terms ({byInput.Count} by an input, {positions.Count} by position), where BERT has "
                    + "words, positions and token types");
        return new OnnxEmbeddings(byInput[0], positions[0], types.SingleOrDefault(), norm);

        OnnxTensor Table(OnnxNode gather) => graph.Constant(gather.Input(0))!;
    }

    private static bool IsTable(OnnxGraph graph, OnnxNode gather) =>
        gather.Integer("axis", 0) == 0 && graph.Constant(gather.Input(0)) is { Shape.Length: 2 } table && table.Dtype.IsFloatingPoint();

    private static List<string> Terms(OnnxGraph graph, string sum)
    {
        const int mostTerms = 8;
        List<string> terms = [graph.Canonical(sum)];
        for (int index = 0; index < terms.Count && terms.Count <= mostTerms;)
        {
            if (graph.Producer(terms[index], "Add") is not { Inputs.Count: 2 } add) { index++; continue; }
            terms[index] = graph.Canonical(add.Inputs[0]);
            terms.Add(graph.Canonical(add.Inputs[1]));
        }
        return terms;
    }
}

/// <summary>Indices that a graph makes itself, for embeddings that are not looked up by an input.</summary>
internal static class OnnxIndices
{
    /// <summary>Whether they are the positions 0, 1, 2, …; false where all are 0.</summary>
    /// <exception cref="NotSupportedException">They are neither, or computed from the tokens.</exception>
    public static bool IsPositions(OnnxGraph graph, string value)
    {
        while (graph.Constant(value) is null)
        {
            OnnxNode? node = graph.Producer(value);
            if (node?.Type == "Range" && graph.Constant(node.Input(0))?.Scalar() == 0
                && graph.Constant(node.Input(2))?.Scalar() == 1) return true;
            if (node?.Type == "ConstantOfShape" && (node.Attributes.GetValueOrDefault("value")?.Tensor?.Scalar() ?? 0) == 0) return false;
            if (node?.Type is not ("Slice" or "Unsqueeze" or "Squeeze" or "Reshape" or "Expand" or "Flatten"))
                throw new NotSupportedException(node is null
                    ? "its positions are an input, where BERT counts them from 0"
                    : $"its positions are computed by {node.Type}, as RoBERTa's and its relatives' are, where BERT counts them from 0");
            if (node.Type == "Slice" && graph.Constant(node.Input(1))?.Integers() is { } starts && starts.Any(start => start != 0))
                throw new NotSupportedException("its positions do not begin with 0");
            value = node.Input(0);
        }
        long[] indices = graph.Constant(value)!.Integers() ?? throw new NotSupportedException("its positions are not integers");
        if (indices.All(index => index == 0)) return false;
        return indices.Select((index, place) => index == place).All(isInPlace => isInPlace)
            ? true
            : throw new NotSupportedException("its positions do not count from 0 on");
    }
}
