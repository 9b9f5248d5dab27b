using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Tokenization;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>The floating-point operations that a model's real tokens ask for, whoever computes them: padding counts nothing.</summary>
internal static class ModelWork
{
    /// <summary>
    /// Products and sums of one review: linears, scores and contexts of every layer; embeddings, norms and the head are left out.
    /// </summary>
    public static double Flops(BertConfig config, int tokens)
    {
        double hidden = config.HiddenSize, linear = (4 * hidden * hidden) + (2 * hidden * config.IntermediateSize);
        return 2.0 * config.NumHiddenLayers * tokens * (linear + (2 * hidden * tokens));
    }

    /// <summary>The same for many.</summary>
    public static double Flops(BertConfig config, IEnumerable<EncodedText> texts) => texts.Sum(text => Flops(config, text.InputIds.Length));
}
