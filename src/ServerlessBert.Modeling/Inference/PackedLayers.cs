using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// The encoder's layers on packed tokens, one TorchScript call each: in floats (<see cref="FloatLayers"/>) or in eight
/// bits (<see cref="Int8Layers"/>).
/// </summary>
internal abstract class PackedLayers : IDisposable
{
    /// <summary>
    /// Attention goes review by review, so a token sees its own review only; the scale of the scores is in the query's
    /// weights. Products and softmax, not scaled_dot_product_attention, whose kernel for processors without AMX is
    /// slower at every length.
    /// </summary>
    protected const string Attention = """
          def attend(self: __torch__.Ops, qkv: Tensor, lens: List[int], heads: int) -> Tensor:
            hidden = torch.floordiv(torch.size(qkv, 1), 3)
            head = torch.floordiv(hidden, heads)
            parts = torch.split_with_sizes(qkv, lens, 0)
            contexts = annotate(List[Tensor], [])
            for i in range(torch.len(parts)):
              n = lens[i]
              q, k, v = torch.unbind(torch.permute(torch.view(parts[i], [n, 3, heads, head]), [1, 2, 0, 3]), 0)
              context = torch.bmm(torch.softmax(torch.bmm(q, torch.transpose(k, 1, 2)), -1), v)
              _0 = torch.append(contexts, torch.reshape(torch.transpose(context, 0, 1), [n, hidden]))
            return torch.cat(contexts, 0)
          def attend_first(self: __torch__.Ops, q_all: Tensor, kv: Tensor, lens: List[int], heads: int) -> Tensor:
            hidden = torch.size(q_all, 1)
            head = torch.floordiv(hidden, heads)
            parts = torch.split_with_sizes(kv, lens, 0)
            contexts = annotate(List[Tensor], [])
            for i in range(torch.len(parts)):
              q = torch.view(torch.select(q_all, 0, i), [heads, 1, head])
              k, v = torch.unbind(torch.permute(torch.view(parts[i], [lens[i], 2, heads, head]), [1, 2, 0, 3]), 0)
              context = torch.bmm(torch.softmax(torch.bmm(q, torch.transpose(k, 1, 2)), -1), v)
              _0 = torch.append(contexts, torch.reshape(context, [1, hidden]))
            return torch.cat(contexts, 0)

        """;

    private readonly FusedOperations operations;
    private readonly object[][] arguments;
    private readonly object[] settings;

    /// <summary>Compiles the methods and packs every layer.</summary>
    /// <param name="methods"><c>layer</c>, <c>last_layer</c> and what packing calls.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    protected PackedLayers(string methods, BertConfig config, IWeightSource weights)
    {
        operations = FusedOperations.Of(Attention + methods);
        settings = [(long)config.NumAttentionHeads, config.LayerNormEps];
        arguments = new object[config.NumHiddenLayers][];
        double scale = 1 / Math.Sqrt(config.HeadSize);
        using var mode = inference_mode();
        for (int layer = 0; layer < arguments.Length; layer++)
        {
            // A layer's own weights are freed before the next one's are read: both forms are never whole in memory.
            using var scope = NewDisposeScope();
            arguments[layer] = Pack(new LayerWeights(weights, layer, scale), isLast: layer == arguments.Length - 1);
            foreach (Tensor tensor in arguments[layer].Cast<Tensor>()) tensor.DetachFromDisposeScope();
        }
    }

    /// <summary>How many layers answer for every token.</summary>
    public int Count => arguments.Length - 1;

    /// <summary>A layer for all tokens, [tokens, hidden] → [tokens, hidden].</summary>
    /// <param name="layer">0 to <see cref="Count"/> - 1.</param>
    /// <param name="x">Hidden states of all reviews' tokens, one review after the other.</param>
    /// <param name="lengths">Tokens of each review, [reviews], int64: TorchScript takes no arrays from here.</param>
    public Tensor Forward(int layer, Tensor x, Tensor lengths) => operations.Call("layer", [x, lengths, .. arguments[layer], .. settings]);

    /// <summary>The last layer for the reviews' first tokens, since nothing else of it is looked at: [tokens, hidden] → [reviews, hidden].</summary>
    /// <param name="x">Hidden states of all reviews' tokens.</param>
    /// <param name="lengths">Tokens of each review, [reviews], int64.</param>
    /// <param name="firsts">Where each review begins, [reviews], int64.</param>
    public Tensor ForwardLast(Tensor x, Tensor lengths, Tensor firsts) => operations.Call("last_layer", [x, lengths, firsts, .. arguments[^1], .. settings]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in arguments.SelectMany(layer => layer).Cast<Tensor>()) tensor.Dispose();
    }

    /// <summary>A layer's arguments in the order of its method's.</summary>
    protected abstract object[] Pack(LayerWeights weights, bool isLast);

    /// <summary>A linear's weight, [out, in], and bias as the layer's method takes them.</summary>
    protected abstract object[] Linear(Tensor weight, Tensor bias);

    /// <summary>A LayerNorm's weight and bias, [hidden], as the layer's method takes them.</summary>
    protected abstract object[] Norm(LayerWeights layer, string name);

    /// <summary>A whole layer's weights in the order that the layer's method takes them.</summary>
    protected object[] Layer(LayerWeights layer, bool isLast) =>
    [
        .. isLast
            ? [.. Linear(layer.Joined("weight", "query"), layer.Joined("bias", "query")), .. Linear(layer.Joined("weight", "key", "value"), layer.Joined("bias", "key", "value"))]
            : Linear(layer.Joined("weight", "query", "key", "value"), layer.Joined("bias", "query", "key", "value")),
        .. Linear(layer, "attention.output.dense"), .. Norm(layer, "attention.output.LayerNorm"),
        .. Linear(layer, "intermediate.dense"),
        .. Linear(layer, "output.dense"), .. Norm(layer, "output.LayerNorm"),
    ];

    private object[] Linear(LayerWeights layer, string name) => Linear(layer[$"{name}.weight"], layer[$"{name}.bias"]);

    /// <summary>Calls a method of the module.</summary>
    protected Tensor Call(string method, params object[] values) => operations.Call(method, values);
}
