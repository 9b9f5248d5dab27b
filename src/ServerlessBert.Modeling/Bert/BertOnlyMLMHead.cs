using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The head of a masked language model, under the name that checkpoints have for it: <c>cls.predictions</c>.</summary>
public sealed class BertOnlyMLMHead : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLMPredictionHead predictions;

    internal BertOnlyMLMHead(BertConfig config) : base(nameof(BertOnlyMLMHead))
    {
        predictions = new BertLMPredictionHead(config);
        RegisterComponents();
    }

    internal ScalarType? ComputeDtype { set => predictions.ComputeDtype = value; }

    /// <summary>States [rows, hidden] and the word embeddings [vocabulary, hidden] → scores [rows, vocabulary].</summary>
    public override Tensor forward(Tensor hidden, Tensor words) => predictions.call(hidden, words);
}
