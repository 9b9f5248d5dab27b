using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// Scores of every word piece for a state. The decoder's weights are the word embeddings (Press and Wolf 2017,
/// arXiv:1608.05859), as in BERT; only its bias is its own.
/// </summary>
public sealed class BertLMPredictionHead : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertPredictionHeadTransform transform;
    private readonly Parameter bias;

    internal BertLMPredictionHead(BertConfig config) : base(nameof(BertLMPredictionHead))
    {
        transform = new BertPredictionHeadTransform(config);
        bias = new Parameter(zeros(config.VocabSize));
        RegisterComponents();
    }

    /// <summary>The number type of the product with the word embeddings; null for that of the weights. The scores are float32 either way.</summary>
    public ScalarType? ComputeDtype { get; set; }

    /// <summary>States [rows, hidden] and the word embeddings [vocabulary, hidden] → scores [rows, vocabulary].</summary>
    public override Tensor forward(Tensor hidden, Tensor words)
    {
        using var scope = NewDisposeScope();
        var transformed = transform.call(hidden.to(float32));                    // [rows, hidden]
        var scores = ComputeDtype is { } dtype && dtype != words.dtype
            ? nn.functional.linear(transformed.to(dtype), words.to(dtype)).to(float32) + bias // [rows, vocabulary]
            : nn.functional.linear(transformed, words, bias);                    // [rows, vocabulary]
        return scores.MoveToOuterDisposeScope();
    }
}
