using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Packed;

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

    private readonly TorchScriptOps operations;
    private readonly object[][] arguments;
    private readonly Scalar[] settings;

    /// <summary>Compiles the methods and packs every layer.</summary>
    /// <param name="methods"><c>layer</c>, <c>last_layer</c> and what packing calls.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    protected PackedLayers(string methods, BertConfig config, IWeightSource weights)
    {
        operations = TorchScriptOps.Of(Attention + methods);
        settings = [config.NumAttentionHeads.ToScalar(), config.LayerNormEps.ToScalar()];
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

    /// <summary>
    /// The last layer for the reviews' first tokens, since nothing else of it is looked at: [tokens, hidden] → [reviews, hidden].
    /// </summary>
    /// <param name="x">Hidden states of all reviews' tokens.</param>
    /// <param name="lengths">Tokens of each review, [reviews], int64.</param>
    /// <param name="firsts">Where each review begins, [reviews], int64.</param>
    public Tensor ForwardLast(Tensor x, Tensor lengths, Tensor firsts) =>
        operations.Call("last_layer", [x, lengths, firsts, .. arguments[^1], .. settings]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in arguments.SelectMany(layer => layer).Cast<Tensor>()) tensor.Dispose();
        foreach (Scalar setting in settings) setting.Dispose();
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
            ? [.. Linear(layer.Joined("weight", "query"), layer.Joined("bias", "query")),
                .. Linear(layer.Joined("weight", "key", "value"), layer.Joined("bias", "key", "value"))]
            : Linear(layer.Joined("weight", "query", "key", "value"), layer.Joined("bias", "query", "key", "value")),
        .. Linear(layer, "attention.output.dense"), .. Norm(layer, "attention.output.LayerNorm"),
        .. Linear(layer, "intermediate.dense"),
        .. Linear(layer, "output.dense"), .. Norm(layer, "output.LayerNorm"),
    ];

    private object[] Linear(LayerWeights layer, string name) => Linear(layer[$"{name}.weight"], layer[$"{name}.bias"]);

    /// <summary>Calls a method of the module.</summary>
    protected Tensor Call(string method, params object[] values) => operations.Call(method, values);
}

/// <summary>One encoder layer's tensors as its packed form wants them, read when they are asked for. Use it in a dispose scope.</summary>
/// <param name="source">The checkpoint.</param>
/// <param name="layer">The layer, from 0.</param>
/// <param name="scale">What scores are multiplied by, 1 / √head: it goes into the query's weights, where it costs nothing.</param>
internal sealed class LayerWeights(IWeightSource source, int layer, double scale)
{
    private string Prefix => $"bert.encoder.layer.{layer}";

    /// <summary>A tensor of the layer.</summary>
    public Tensor this[string name] => source.Read($"{Prefix}.{name}");

    /// <summary>Query, key and value, or some of them, one below the other: [parts × hidden, hidden] or [parts × hidden].</summary>
    /// <param name="kind">weight or bias.</param>
    /// <param name="parts">Of query, key, value.</param>
    public Tensor Joined(string kind, params string[] parts) => cat([.. parts.Select(part => Projection(part, kind))], 0);

    private Tensor Projection(string part, string kind)
    {
        Tensor tensor = this[$"attention.self.{part}.{kind}"];
        // In float32, so that the product is rounded once.
        if (part != "query") return tensor;
        using Scalar factor = scale;
        return tensor.to(float32).mul(factor).to(tensor.dtype);
    }
}

/// <summary>Layers in bfloat16 or float32: weights in oneDNN's own blocked layout, GELU and residuals inside of the linears.</summary>
/// <param name="config">The model's shape.</param>
/// <param name="weights">The checkpoint.</param>
/// <param name="dtype">float32 or bfloat16.</param>
internal sealed class FloatLayers(BertConfig config, IWeightSource weights, ScalarType dtype)
    : PackedLayers(Methods(config.HiddenAct), config, weights)
{
    private const string Source = """
          def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
            return ops.mkldnn._reorder_linear_weight(weight)
          def linear(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
            return ops.mkldnn._linear_pointwise(x, w, b, "none", annotate(List[Optional[number]], []), "none")
          def rest(self: __torch__.Ops, x: Tensor, context: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor,
              up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, eps: float) -> Tensor:
            hidden = torch.size(x, 1)
            attended = torch.layer_norm(ops.mkldnn._linear_pointwise(context, x, out_w, out_b, "add"), [hidden], norm1_w, norm1_b, eps)
            up = ops.mkldnn._linear_pointwise(attended, up_w, up_b, "ACTIVATION", annotate(List[Optional[number]], []), "ALGORITHM")
            return torch.layer_norm(ops.mkldnn._linear_pointwise(up, attended, down_w, down_b, "add"), [hidden], norm2_w, norm2_b, eps)
          def layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, qkv_w: Tensor, qkv_b: Tensor, out_w: Tensor, out_b: Tensor,
              norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor,
              norm2_b: Tensor, heads: int, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            context = (self).attend((self).linear(x, qkv_w, qkv_b, ), lens, heads, )
            return (self).rest(x, context, out_w, out_b, norm1_w, norm1_b, up_w, up_b, down_w, down_b, norm2_w, norm2_b, eps, )
          def last_layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, firsts: Tensor, q_w: Tensor, q_b: Tensor, kv_w: Tensor,
              kv_b: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor,
              down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            first = torch.index_select(x, 0, firsts)
            context = (self).attend_first((self).linear(first, q_w, q_b, ), (self).linear(x, kv_w, kv_b, ), lens, heads, )
            return (self).rest(first, context, out_w, out_b, norm1_w, norm1_b, up_w, up_b, down_w, down_b, norm2_w, norm2_b, eps, )

        """;

    /// <inheritdoc/>
    protected override object[] Pack(LayerWeights layer, bool isLast) => Layer(layer, isLast);

    // Compiled in: TorchSharp passes no strings to TorchScript.
    private static string Methods(string hiddenAct)
    {
        (string activation, string algorithm) = hiddenAct switch
        {
            "gelu" => ("gelu", "none"),
            "gelu_new" => ("gelu", "tanh"),
            "relu" => ("relu", "none"),
            _ => throw new ArgumentOutOfRangeException(nameof(hiddenAct), hiddenAct, "Not an activation of a BERT feed-forward layer."),
        };
        return Source.Replace("ACTIVATION", activation).Replace("ALGORITHM", algorithm);
    }

    /// <inheritdoc/>
    protected override object[] Linear(Tensor weight, Tensor bias)
    {
        using Tensor converted = weight.to(dtype);
        return [Call("pack", converted), bias.to(dtype, copy: true)];
    }

    /// <inheritdoc/>
    protected override object[] Norm(LayerWeights layer, string name) =>
        [layer[$"{name}.weight"].to(dtype, copy: true), layer[$"{name}.bias"].to(dtype, copy: true)];
}
