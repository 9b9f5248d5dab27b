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

    /// <summary>The word embeddings, [vocabulary, hidden], which a masked language model's decoder shares; the caller disposes the name, not the memory.</summary>
    internal Tensor WordEmbeddings => embeddings.Words;

    /// <summary>
    /// Ids [batch, sequence] int64; mask [batch, sequence], non-zero for real tokens, null where nothing is padding;
    /// token types [batch, sequence] int64, null where all are 0 → states [batch, sequence, hidden] and [batch, hidden].
    /// </summary>
    /// <exception cref="ArgumentException">The sequence is longer than max_position_embeddings.</exception>
    public override (Tensor LastHiddenState, Tensor PoolerOutput) forward(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds)
    {
        var hidden = States(inputIds, attentionMask, tokenTypeIds, wanted: null); // [batch, sequence, hidden]
        return (hidden, pooler.call(hidden));
    }

    /// <summary>
    /// As <see cref="forward"/>, but only the last states at the positions <paramref name="wanted"/>, [batch, wanted]
    /// int64 (null: all) → [batch, wanted, hidden]. What the others would have cost in the last layer is saved.
    /// </summary>
    public Tensor States(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds, Tensor? wanted)
    {
        using var embedded = embeddings.call(inputIds, tokenTypeIds);            // [batch, sequence, hidden]
        using var bias = attentionMask is null ? null : ScoreBias(attentionMask, embedded.dtype);
        return encoder.call(embedded, bias, wanted);                             // [batch, wanted, hidden]
    }

    /// <summary>The pooler's output alone: only [CLS] goes through the whole last layer → [batch, hidden].</summary>
    public Tensor Pooled(Tensor inputIds, Tensor? attentionMask, Tensor? tokenTypeIds)
    {
        using var first = zeros(inputIds.size(0), 1, int64, inputIds.device);    // [batch, 1]
        using var hidden = States(inputIds, attentionMask, tokenTypeIds, first); // [batch, 1, hidden]
        return pooler.call(hidden);
    }

    // The most negative number and not -infinity, as the reference: a row that is all padding stays finite.
    private static Tensor ScoreBias(Tensor attentionMask, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var padding = attentionMask.eq(0).unsqueeze(1).unsqueeze(2);             // [batch, 1, 1, sequence]
        return zeros_like(padding, dtype).masked_fill_(padding, finfo(dtype).min).MoveToOuterDisposeScope();
    }
}
