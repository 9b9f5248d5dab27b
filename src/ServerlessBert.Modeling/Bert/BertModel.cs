using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The encoder with its pooler: BERT (Devlin et al. 2018, arXiv:1810.04805), as Hugging Face's BertModel.</summary>
public sealed class BertModel : nn.Module<Tensor, Tensor?, Tensor?, (Tensor LastHiddenState, Tensor PoolerOutput)>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertPooler pooler;

    internal BertModel(BertConfig config) : base(nameof(BertModel))
    {
        embeddings = new BertEmbeddings(config);
        encoder = new BertEncoder(config);
        pooler = new BertPooler(config);
        RegisterComponents();
    }

    /// <summary>
    /// Ids [batch, sequence] int64; mask [batch, sequence], non-zero for real tokens, null where nothing is padding;
    /// token types [batch, sequence] int64, null where all are 0 → states [batch, sequence, hidden] and [batch, hidden].
    /// </summary>
    /// <exception cref="ArgumentException">The sequence is longer than max_position_embeddings.</exception>
    public override (Tensor LastHiddenState, Tensor PoolerOutput) forward(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds)
    {
        using var embedded = embeddings.call(inputIds, tokenTypeIds);            // [batch, sequence, hidden]
        using var bias = attentionMask is null ? null : ScoreBias(attentionMask, embedded.dtype);
        var hidden = encoder.call(embedded, bias);                               // [batch, sequence, hidden]
        return (hidden, pooler.call(hidden));
    }

    // The most negative number and not -infinity, as the reference: a row that is all padding stays finite.
    private static Tensor ScoreBias(Tensor attentionMask, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var padding = attentionMask.eq(0).unsqueeze(1).unsqueeze(2);             // [batch, 1, 1, sequence]
        return zeros_like(padding, dtype).masked_fill_(padding, finfo(dtype).min).MoveToOuterDisposeScope();
    }
}
