using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// TorchSharp's own modules over uninitialised memory: PyTorch's default initialisation of a linear layer would be
/// overwritten at once, by BERT's or by a checkpoint, and costs a second at the size of bert-base.
/// </summary>
internal static class Blank
{
    /// <summary>A linear layer of weight [outputs, inputs] and bias [outputs].</summary>
    public static Linear Linear(int inputs, int outputs) =>
        nn.Linear(new Parameter(empty(outputs, inputs)), new Parameter(empty(outputs)));

    /// <summary>
    /// An embedding of weight [rows, width]; the padding row gets no gradient from look-ups. It is made without width,
    /// so that nothing is drawn, and given its weight after: Embedding_from_pretrained draws one too, and registers that
    /// one, not the tensor that it computes with.
    /// </summary>
    public static Embedding Embedding(int rows, int width, int? padding = null)
    {
        var embedding = nn.Embedding((padding ?? 0) + 1, 0, padding);
        embedding.weight = new Parameter(empty(rows, width));
        return embedding;
    }

    /// <summary>A LayerNorm over the hidden dimension; its default (1, 0) is cheap and BERT's own.</summary>
    public static LayerNorm LayerNorm(BertConfig config) => nn.LayerNorm(config.HiddenSize, config.LayerNormEps);
}
