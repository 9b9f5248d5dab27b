using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Packed;

/// <summary>
/// Layers with products of eight-bit integers (AVX512-VNNI, AMX). Weights have a scale an output channel; inputs are
/// quantized as they come with a scale a token, so that a review's result does not depend on its neighbours, as it would
/// with one scale for the whole matrix. What is summed from layer to layer is float32; query, key, value and the
/// feed-forward layer's inside, which are read once, are of the type that this processor computes faster.
/// </summary>
/// <param name="config">The model's shape.</param>
/// <param name="weights">The checkpoint.</param>
/// <param name="inside">bfloat16 or float32.</param>
internal sealed class Int8Layers(BertConfig config, IWeightSource weights, ScalarType inside)
    : PackedLayers(Methods(config.HiddenAct, inside), config, weights)
{
    // Numbers of types as TorchScript has them: 0 uint8, 1 int8, 6 float32. Bytes are made of int8, since libtorch turns
    // floats into those eight times as fast as into uint8, or as quantize_per_tensor and int_repr do. A scale is rounded
    // before both of its uses.
    private const string Product = """
          def pack(self: __torch__.Ops, weight: Tensor) -> Tensor:
            return ops.onednn.qlinear_prepack(weight, annotate(Optional[List[int]], None))
          def bytes(self: __torch__.Ops, steps: Tensor) -> Tensor:
            return torch.to(torch.bitwise_xor_(torch.to(torch.round_(steps), 1), -128), 0)
          def product(self: __torch__.Ops, bytes: Tensor, zero: int, w: Tensor, w_scale: Tensor, w_zero: Tensor, dtype: int) -> Tensor:
            return ops.onednn.qlinear_pointwise(
                bytes, 1., zero, w, w_scale, w_zero, None, 1., 0, dtype, "none", annotate(List[Optional[number]], []), "none")
          def linear(self: __torch__.Ops, x: Tensor, w: Tensor, w_scale: Tensor, b: Tensor, w_zero: Tensor, dtype: int) -> Tensor:
            scale = torch.to(torch.clamp_min_(torch.div_(torch.amax(torch.abs(x), [1], True), 127.), 1e-12), dtype)
            bytes = (self).bytes(torch.div(x, torch.to(scale, 6)), )
            return torch.addcmul(torch.to(b, dtype), (self).product(bytes, 128, w, w_scale, w_zero, dtype, ), scale)

        """;

    // An activation's outputs are hardly negative (GELU's least is -0.17): 15 steps below, 238 above, and two to spare for
    // what rounding adds.
    private const string Source = """
          def rest(self: __torch__.Ops, x: Tensor, context: Tensor, w_zero: Tensor, out_w: Tensor, out_s: Tensor, out_b: Tensor,
              norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_s: Tensor, up_b: Tensor, down_w: Tensor, down_s: Tensor, down_b: Tensor,
              norm2_w: Tensor, norm2_b: Tensor, eps: float) -> Tensor:
            hidden = torch.size(x, 1)
            projected = (self).linear(torch.to(context, 6), out_w, out_s, out_b, w_zero, 6, )
            attended = torch.layer_norm(torch.add_(projected, x), [hidden], norm1_w, norm1_b, eps)
            up = ACTIVATION((self).linear(attended, up_w, up_s, up_b, w_zero, INSIDE, )ALGORITHM)
            scale = torch.clamp_min_(torch.div_(torch.amax(up, [1], True), 238.), 0.0114)
            bytes = (self).bytes(torch.sub_(torch.div(up, scale), 113), )
            down = torch.addcmul(down_b, (self).product(bytes, 15, down_w, down_s, w_zero, 6, ), torch.to(scale, 6))
            return torch.layer_norm(torch.add_(down, attended), [hidden], norm2_w, norm2_b, eps)
          def layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, w_zero: Tensor, qkv_w: Tensor, qkv_s: Tensor, qkv_b: Tensor,
              out_w: Tensor, out_s: Tensor, out_b: Tensor, norm1_w: Tensor, norm1_b: Tensor, up_w: Tensor, up_s: Tensor, up_b: Tensor,
              down_w: Tensor, down_s: Tensor, down_b: Tensor, norm2_w: Tensor, norm2_b: Tensor, heads: int, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            context = (self).attend((self).linear(x, qkv_w, qkv_s, qkv_b, w_zero, INSIDE, ), lens, heads, )
            return (self).rest(
                x, context, w_zero, out_w, out_s, out_b, norm1_w, norm1_b, up_w, up_s, up_b, down_w, down_s, down_b, norm2_w, norm2_b,
                eps, )
          def last_layer(self: __torch__.Ops, x: Tensor, lengths: Tensor, firsts: Tensor, w_zero: Tensor, q_w: Tensor, q_s: Tensor,
              q_b: Tensor, kv_w: Tensor, kv_s: Tensor, kv_b: Tensor, out_w: Tensor, out_s: Tensor, out_b: Tensor, norm1_w: Tensor,
              norm1_b: Tensor, up_w: Tensor, up_s: Tensor, up_b: Tensor, down_w: Tensor, down_s: Tensor, down_b: Tensor, norm2_w: Tensor,
              norm2_b: Tensor, heads: int, eps: float) -> Tensor:
            lens = annotate(List[int], lengths.tolist())
            first = torch.index_select(x, 0, firsts)
            context = (self).attend_first(
                (self).linear(first, q_w, q_s, q_b, w_zero, INSIDE, ), (self).linear(x, kv_w, kv_s, kv_b, w_zero, INSIDE, ), lens, heads, )
            return (self).rest(
                first, context, w_zero, out_w, out_s, out_b, norm1_w, norm1_b, up_w, up_s, up_b, down_w, down_s, down_b, norm2_w, norm2_b,
                eps, )

        """;

    private const double Steps = 127;

    private static readonly Lazy<bool> Missing = new(() =>
    {
        try
        {
            _ = ProductAlone;
            return false;
        }
        catch (System.Runtime.InteropServices.ExternalException)
        {
            return true; // unknown builtin op: onednn::…
        }
    });

    /// <summary>Whether this platform's libtorch has no products of eight-bit integers.</summary>
    public static bool IsMissing => Missing.Value;

    /// <summary>The methods <c>pack</c> and <c>linear</c> alone, to measure.</summary>
    public static TorchScriptOps ProductAlone => TorchScriptOps.Of(Product);

    /// <inheritdoc/>
    protected override object[] Pack(LayerWeights layer, bool isLast) =>
    [
        zeros([1], int32), // weights are symmetric
        .. Layer(layer, isLast),
    ];

    private static string Methods(string hiddenAct, ScalarType inside)
    {
        (string activation, string algorithm) = hiddenAct switch
        {
            "gelu" => ("torch.gelu_", ""),
            "gelu_new" => ("torch.gelu_", ", approximate=\"tanh\""),
            "relu" => ("torch.relu_", ""),
            _ => throw new ArgumentOutOfRangeException(nameof(hiddenAct), hiddenAct, "Not an activation of a BERT feed-forward layer."),
        };
        return Product + Source.Replace("ACTIVATION", activation).Replace("ALGORITHM", algorithm).Replace("INSIDE", $"{(int)inside}");
    }

    /// <inheritdoc/>
    protected override object[] Linear(Tensor weight, Tensor bias)
    {
        using var scope = NewDisposeScope();
        using Scalar steps = Steps, leastScale = 1e-12;
        Tensor values = weight.to(float32); // [outputs, inputs]
        Tensor scale = values.abs().amax([1], keepdim: true).div_(steps).clamp_min_(leastScale); // [outputs, 1]
        Tensor packed = Call("pack", values.div(scale).round_().to(int8));
        return [packed.MoveToOuterDisposeScope(), scale.squeeze(1).MoveToOuterDisposeScope(),
            bias.to(float32, copy: true).MoveToOuterDisposeScope()];
    }

    /// <inheritdoc/>
    protected override object[] Norm(LayerWeights layer, string name) =>
        [layer[$"{name}.weight"].to(float32, copy: true), layer[$"{name}.bias"].to(float32, copy: true)];
}
