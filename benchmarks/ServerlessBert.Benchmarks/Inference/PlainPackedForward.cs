using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace ServerlessBert.Benchmarks.Inference;

/// <summary>
/// The forward that TorchSharp gives without oneDNN's packed operations: single operations on packed tokens, float32, attention a
/// review at a time.
/// </summary>
internal sealed class PlainPackedForward(CheckpointWeights weights)
{
    private readonly BertConfig _config = weights.Config;

    /// <summary>Logits, [rows][labels].</summary>
    public float[][] Logits(IReadOnlyList<int[]> rows)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Tensor x = Embed(rows); // [tokens, hidden]
        long[] lengths = [.. rows.Select(row => (long)row.Length)];
        for (int layer = 0; layer < _config.NumHiddenLayers; layer++) x = Layer(x, lengths, $"bert.encoder.layer.{layer}");
        Tensor first = x.index_select(0, tensor(lengths.Select((_, row) => lengths.Take(row).Sum()).ToArray())); // [reviews, hidden]
        Tensor logits = Linear(Linear(first, "bert.pooler.dense").tanh_(), "classifier"); // [reviews, labels]
        return MemoryMarshal.Cast<byte, float>(logits.bytes).ToArray().Chunk(_config.NumLabels).ToArray();
    }

    private Tensor Embed(IReadOnlyList<int[]> rows)
    {
        Tensor ids = tensor(rows.SelectMany(row => row).ToArray()),
            places = tensor(rows.SelectMany(row => Enumerable.Range(0, row.Length)).ToArray());
        Tensor x = W("bert.embeddings.word_embeddings.weight").index_select(0, ids)
            + W("bert.embeddings.position_embeddings.weight").index_select(0, places);
        return Norm(x + W("bert.embeddings.token_type_embeddings.weight")[0], "bert.embeddings");
    }

    private Tensor Layer(Tensor x, long[] lengths, string prefix)
    {
        using var scope = NewDisposeScope();
        string self = $"{prefix}.attention.self";
        Tensor context =
            cat([.. Heads(x, $"{self}.query", lengths).Zip(Heads(x, $"{self}.key", lengths), Heads(x, $"{self}.value", lengths))
            .Select(qkv => F.scaled_dot_product_attention(qkv.First, qkv.Second, qkv.Third).transpose(1, 2).reshape(
                -1, _config.HiddenSize))], 0); // [tokens, hidden]
        Tensor attended = Norm(Linear(context, $"{prefix}.attention.output.dense").add_(x), $"{prefix}.attention.output");
        Tensor up = F.gelu(Linear(attended, $"{prefix}.intermediate.dense")); // [tokens, intermediate]
        return Norm(Linear(up, $"{prefix}.output.dense").add_(attended), $"{prefix}.output").MoveToOuterDisposeScope();
    }

    // One tensor a review, [1, heads, sequence, head].
    private IEnumerable<Tensor> Heads(Tensor x, string prefix, long[] lengths) => Linear(x, prefix).split(lengths, 0)
        .Select(part => part.view(1, -1, _config.NumAttentionHeads, _config.HeadSize).transpose(1, 2));

    private Tensor Linear(Tensor x, string prefix) => F.linear(x, W($"{prefix}.weight"), W($"{prefix}.bias"));

    private Tensor Norm(Tensor x, string prefix) =>
        F.layer_norm(x, [_config.HiddenSize], W($"{prefix}.LayerNorm.weight"), W($"{prefix}.LayerNorm.bias"), _config.LayerNormEps);

    private Tensor W(string key) => weights.Tensors[key];
}
