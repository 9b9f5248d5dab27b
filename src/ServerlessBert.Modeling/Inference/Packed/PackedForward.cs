using System.Runtime.InteropServices;
using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Packed;

/// <summary>
/// BERT's evaluation on packed tokens: reviews stand one after the other in one matrix, so nothing is spent on padding,
/// and each encoder layer is one call of <see cref="PackedLayers"/> on weights in oneDNN's own layout.
/// </summary>
internal sealed class PackedForward : IForward
{
    private readonly BertConfig config;
    private readonly ScalarType dtype;
    private readonly Tensor words, positions, embeddingNormWeight, embeddingNormBias;
    private readonly PackedLayers layers;
    private readonly Tensor poolerWeight, poolerBias, classifierWeight, classifierBias;

    /// <summary>Packs a checkpoint's weights; they are read, not kept.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="number">float32, bfloat16 or int8.</param>
    public PackedForward(BertConfig config, IWeightSource weights, InferenceDtype number)
    {
        this.config = config;
        dtype = number == InferenceDtype.BFloat16 ? bfloat16 : float32; // of hidden states
        using var mode = inference_mode();
        layers = number == InferenceDtype.Int8 ? new Int8Layers(config, weights, DtypeSelection.InsideInt8Layers)
            : new FloatLayers(config, weights, dtype);

        const string embeddings = "bert.embeddings";
        // A fifth of the model, of which a pass reads some rows: not made wider than it is stored.
        words = Take(weights, $"{embeddings}.word_embeddings.weight", number == InferenceDtype.Float32 ? float32 : bfloat16,
            number == InferenceDtype.Int8);
        positions = Positions(weights, embeddings);
        embeddingNormWeight = Take(weights, $"{embeddings}.LayerNorm.weight", dtype);
        embeddingNormBias = Take(weights, $"{embeddings}.LayerNorm.bias", dtype);
        // The head works on one row a review: float32 costs nothing there.
        poolerWeight = Take(weights, "bert.pooler.dense.weight", float32);
        poolerBias = Take(weights, "bert.pooler.dense.bias", float32);
        classifierWeight = Take(weights, "classifier.weight", float32);
        classifierBias = Take(weights, "classifier.bias", float32);
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

    public float[][] Logits(IReadOnlyList<int[]> rows)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        long[] lengths = [.. rows.Select(row => (long)row.Length)];
        Tensor reviewLengths = tensor(lengths); // [reviews]
        Tensor x = Embed(rows); // [tokens, hidden]
        for (int layer = 0; layer < layers.Count; layer++)
        {
            Tensor next = layers.Forward(layer, x, reviewLengths); // [tokens, hidden]
            x.Dispose();
            x = next;
        }
        Tensor firsts = tensor(StartsOf(lengths)); // [reviews]
        x = layers.ForwardLast(x, reviewLengths, firsts).to(float32); // [reviews, hidden]
        x = nn.functional.linear(x, poolerWeight, poolerBias); // [reviews, hidden]
        x = config.PoolerAct == "relu" ? x.relu_() : x.tanh_(); // [reviews, hidden]
        x = nn.functional.linear(x, classifierWeight, classifierBias); // [reviews, labels]
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
        Tensor x = words.index_select(0, tensor(ids)).to(dtype); // [tokens, hidden]
        x.add_(positions.index_select(0, tensor(places)), HeldScalar.One);
        return nn.functional.layer_norm(x, [config.HiddenSize], embeddingNormWeight, embeddingNormBias, config.LayerNormEps)
            .MoveToOuterDisposeScope();
    }

    // Every review is one segment, so its type's row is a constant of the positions.
    private Tensor Positions(IWeightSource weights, string prefix)
    {
        using var scope = NewDisposeScope();
        Tensor sum = weights.Read($"{prefix}.position_embeddings.weight").to(float32, copy: true); // [positions, hidden]
        string types = $"{prefix}.token_type_embeddings.weight";
        if (weights.Has(types)) sum.add_(weights.Read(types)[0].to(float32), HeldScalar.One);
        return sum.to(dtype).DetachFromDisposeScope();
    }

    private static Tensor Take(IWeightSource weights, string key, ScalarType dtype, bool asStored = false)
    {
        using var scope = NewDisposeScope();
        Tensor stored = weights.Read(key);
        return (asStored ? stored.clone() : stored.to(dtype, copy: true)).DetachFromDisposeScope();
    }

    private static long[] StartsOf(long[] lengths)
    {
        var starts = new long[lengths.Length];
        for (int i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + lengths[i - 1];
        return starts;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in new[] { words, positions, embeddingNormWeight, embeddingNormBias, poolerWeight, poolerBias,
            classifierWeight, classifierBias })
            tensor.Dispose();
        layers.Dispose();
    }
}
