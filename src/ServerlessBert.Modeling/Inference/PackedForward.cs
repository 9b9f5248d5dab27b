using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// BERT's evaluation on packed tokens: reviews stand one after the other in one matrix, so nothing is spent on padding,
/// and each encoder layer is one call of <see cref="FusedOperations"/> on weights in oneDNN's own layout.
/// </summary>
internal sealed class PackedForward : IForward
{
    private readonly FusedOperations operations;
    private readonly BertConfig config;
    private readonly Tensor words, positions, embeddingNormWeight, embeddingNormBias;
    private readonly object[][] layers;
    private readonly Tensor poolerWeight, poolerBias, classifierWeight, classifierBias;
    private readonly object[] settings;

    /// <summary>Packs a checkpoint's weights; they are read, not kept.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">Tensors by the checkpoint's keys.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    public PackedForward(BertConfig config, IReadOnlyDictionary<string, Tensor> weights, ScalarType dtype)
    {
        operations = FusedOperations.Load(config.HiddenAct);
        this.config = config;
        settings = [(long)config.NumAttentionHeads, 1 / Math.Sqrt(config.HeadSize), config.LayerNormEps];

        using var mode = inference_mode();
        Tensor Take(string key) => weights[key].to(dtype, copy: true).DetachFromDisposeScope();
        Tensor Joined(string prefix, string kind, params string[] names)
        {
            using var scope = NewDisposeScope();
            return cat([.. names.Select(name => weights[$"{prefix}.attention.self.{name}.{kind}"])], 0).to(dtype).DetachFromDisposeScope();
        }
        Tensor Pack(Tensor weight)
        {
            using (weight) return operations.Pack(weight).DetachFromDisposeScope();
        }

        const string embeddings = "bert.embeddings";
        words = Take($"{embeddings}.word_embeddings.weight");
        positions = Take($"{embeddings}.position_embeddings.weight");
        if (weights.TryGetValue($"{embeddings}.token_type_embeddings.weight", out Tensor? types))
            AddRow(positions, types); // every review is one segment, so its type's row is a constant
        embeddingNormWeight = Take($"{embeddings}.LayerNorm.weight");
        embeddingNormBias = Take($"{embeddings}.LayerNorm.bias");

        layers = new object[config.NumHiddenLayers][];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            string prefix = $"bert.encoder.layer.{layer}";
            object[] attention = layer < layers.Length - 1
                ? [Pack(Joined(prefix, "weight", "query", "key", "value")), Joined(prefix, "bias", "query", "key", "value")]
                : [Pack(Joined(prefix, "weight", "query")), Joined(prefix, "bias", "query"), Pack(Joined(prefix, "weight", "key", "value")), Joined(prefix, "bias", "key", "value")];
            layers[layer] =
            [
                .. attention,
                Pack(Take($"{prefix}.attention.output.dense.weight")), Take($"{prefix}.attention.output.dense.bias"),
                Take($"{prefix}.attention.output.LayerNorm.weight"), Take($"{prefix}.attention.output.LayerNorm.bias"),
                Pack(Take($"{prefix}.intermediate.dense.weight")), Take($"{prefix}.intermediate.dense.bias"),
                Pack(Take($"{prefix}.output.dense.weight")), Take($"{prefix}.output.dense.bias"),
                Take($"{prefix}.output.LayerNorm.weight"), Take($"{prefix}.output.LayerNorm.bias"),
            ];
        }

        // The head works on one row a review: float32 costs nothing there.
        Tensor TakeExactly(string key) => weights[key].to(float32, copy: true).DetachFromDisposeScope();
        poolerWeight = TakeExactly("bert.pooler.dense.weight");
        poolerBias = TakeExactly("bert.pooler.dense.bias");
        classifierWeight = TakeExactly("classifier.weight");
        classifierBias = TakeExactly("classifier.bias");
    }

    /// <summary>In the order given: packed tokens need no sorting.</summary>
    public IEnumerable<int[]> Passes(IReadOnlyList<int> lengths, int tokenBudget)
    {
        var pass = new List<int>();
        int tokens = 0;
        for (int index = 0; index < lengths.Count; index++)
        {
            if (pass.Count > 0 && tokens + lengths[index] > tokenBudget)
            {
                yield return [.. pass];
                pass.Clear();
                tokens = 0;
            }
            pass.Add(index);
            tokens += lengths[index];
        }
        if (pass.Count > 0) yield return [.. pass];
    }

    public float[][] Probabilities(IReadOnlyList<int[]> rows)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        long[] lengths = [.. rows.Select(row => (long)row.Length)];
        Tensor reviewLengths = tensor(lengths); // [reviews]
        Tensor x = Embed(rows); // [tokens, hidden]
        foreach (object[] layer in layers.AsSpan()[..^1])
        {
            Tensor next = operations.Layer([x, reviewLengths, .. layer, .. settings]); // [tokens, hidden]
            x.Dispose();
            x = next;
        }
        Tensor firsts = tensor(StartsOf(lengths)); // [reviews]
        x = operations.LastLayer([x, reviewLengths, firsts, .. layers[^1], .. settings]).to(float32); // [reviews, hidden]
        x = nn.functional.linear(x, poolerWeight, poolerBias); // [reviews, hidden]
        x = config.PoolerAct == "relu" ? x.relu_() : x.tanh_(); // [reviews, hidden]
        x = nn.functional.linear(x, classifierWeight, classifierBias).softmax(-1); // [reviews, labels]
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(x.contiguous().bytes);
        var result = new float[rows.Count][];
        for (int row = 0; row < result.Length; row++)
            result[row] = values.Slice(row * config.NumLabels, config.NumLabels).ToArray();
        return result;
    }

    private Tensor Embed(IReadOnlyList<int[]> rows)
    {
        using var scope = NewDisposeScope();
        int tokens = rows.Sum(row => row.Length);
        int[] ids = new int[tokens], places = new int[tokens];
        int at = 0;
        foreach (int[] row in rows)
        {
            row.CopyTo(ids, at);
            for (int place = 0; place < row.Length; place++) places[at++] = place;
        }
        Tensor x = words.index_select(0, tensor(ids)); // [tokens, hidden]
        x.add_(positions.index_select(0, tensor(places)));
        return nn.functional.layer_norm(x, [config.HiddenSize], embeddingNormWeight, embeddingNormBias, config.LayerNormEps).MoveToOuterDisposeScope();
    }

    private static void AddRow(Tensor positions, Tensor types)
    {
        using var scope = NewDisposeScope();
        positions.add_(types[0].to(positions.dtype));
    }

    private static long[] StartsOf(long[] lengths)
    {
        var starts = new long[lengths.Length];
        for (int i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + lengths[i - 1];
        return starts;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in layers.SelectMany(layer => layer).Cast<Tensor>()) tensor.Dispose();
        foreach (Tensor tensor in new[] { words, positions, embeddingNormWeight, embeddingNormBias, poolerWeight, poolerBias, classifierWeight, classifierBias })
            tensor.Dispose();
        operations.Dispose();
    }
}
