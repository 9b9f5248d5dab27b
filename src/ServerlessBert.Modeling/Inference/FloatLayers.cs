using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Layers in bfloat16 or float32: weights in oneDNN's own blocked layout, GELU and residuals inside of the linears.</summary>
/// <param name="config">The model's shape.</param>
/// <param name="weights">The checkpoint.</param>
/// <param name="dtype">float32 or bfloat16.</param>
internal sealed class FloatLayers(BertConfig config, IWeightSource weights, ScalarType dtype) : PackedLayers(Methods(config.HiddenAct), config, weights)
{
    private const string Source = """
          def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
            return ops.mkldnn._reorder_linear_weight(weight)
          def linear(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
            return ops.mkldnn._linear_pointwise(x, w, b, "none", annotate(List[Optional[number]], []), "none")
          def rest(self: __torch__.Ops, x: Tensor, context: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, eps: float) -> Tensor:
            hidden = torch.size(x, 1)
            attended = torch.layer_norm(ops.mkldnn._linear_pointwise(context, x, out_w, out_b, "add"), [hidden], norm1_w, norm1_b, eps)
            up = ops.mkldnn._linear_pointwise(attended, up_w, up_b, "ACTIVATION", annotate(List[Optional[number]], []), "ALGORITHM")
            return torch.layer_norm(ops.mkldnn._linear_pointwise(up, attended, down_w, down_b, "add"), [hidden], norm2_w, norm2_b, eps)
          def layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, qkv_w: Tensor, qkv_b: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            context = (self).attend((self).linear(x, qkv_w, qkv_b, ), lens, heads, )
            return (self).rest(x, context, out_w, out_b, norm1_w, norm1_b, up_w, up_b, down_w, down_b, norm2_w, norm2_b, eps, )
          def last_layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, firsts: Tensor, q_w: Tensor, q_b: Tensor, kv_w: Tensor, kv_b: Tensor, out_w: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_b: Tensor, down_w: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, eps: float) -> Tensor:
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
    protected override object[] Norm(LayerWeights layer, string name) => [layer[$"{name}.weight"].to(dtype, copy: true), layer[$"{name}.bias"].to(dtype, copy: true)];
}
