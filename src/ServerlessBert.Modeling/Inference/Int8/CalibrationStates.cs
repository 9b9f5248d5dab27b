using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// Hidden states of one made-up review, computed in float32 beside the packing: they show which dimensions are wide. Those
/// are the same for any input, so a few word pieces spread over the vocabulary serve.
/// </summary>
internal static class CalibrationStates
{
    private const int Tokens = 32;

    /// <summary>Embeddings before their norm, [tokens, hidden].</summary>
    public static Tensor Embed(IWeightSource weights, BertConfig config)
    {
        const string prefix = "bert.embeddings", types = $"{prefix}.token_type_embeddings.weight";
        int tokens = Math.Min(Tokens, config.MaxPositionEmbeddings);
        Tensor words = weights.Read($"{prefix}.word_embeddings.weight");
        Tensor ids = tensor(Enumerable.Range(0, tokens).Select(i => i * words.shape[0] / tokens).ToArray());
        Tensor x = words.index_select(0, ids).to(float32)
            + weights.Read($"{prefix}.position_embeddings.weight").narrow(0, 0, tokens).to(float32);
        return weights.Has(types) ? x + weights.Read(types)[0].to(float32) : x;
    }

    /// <summary>A norm before its own weight and bias.</summary>
    public static Tensor Normalize(Tensor x, BertConfig config) => F.layer_norm(x, [config.HiddenSize], eps: config.LayerNormEps);

    /// <summary>Contexts of all heads, [tokens, hidden], of queries that are scaled for powers of two.</summary>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, BertConfig config)
    {
        Tensor Heads(Tensor rows) => rows.view(-1, config.NumAttentionHeads, config.HeadSize).transpose(0, 1); // [heads, tokens, head]
        Tensor weights = (Heads(query).matmul(Heads(key).transpose(1, 2)) * Math.Log(2)).softmax(-1); // [heads, tokens, tokens]
        return weights.matmul(Heads(value)).transpose(0, 1).reshape(-1, config.HiddenSize); // [tokens, hidden]
    }

    /// <summary>The feed-forward layer's activation.</summary>
    public static Tensor Activate(Tensor x, BertConfig config) => config.HiddenAct == "relu" ? F.relu(x) : F.gelu(x);
}
