using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>
/// A linear layer that can compute in another number type than its weights have: float32 weights with bfloat16 products
/// is mixed precision (Micikevicius et al. 2018, arXiv:1710.03740), which TorchSharp has no autocast for. Gradients flow
/// back through the casts into the float32 weights.
/// </summary>
public sealed class BertLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    internal BertLinear(int inputs, int outputs) : base(nameof(BertLinear))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = new Parameter(empty(outputs));
        RegisterComponents();
    }

    /// <summary>The number type of products and outputs; null for that of the weights.</summary>
    public ScalarType? ComputeDtype { get; set; }

    /// <summary>[…, inputs] → […, outputs].</summary>
    public override Tensor forward(Tensor input)
    {
        if (ComputeDtype is not { } dtype || dtype == weight.dtype) return nn.functional.linear(input, weight, bias);
        using var scope = NewDisposeScope();
        Tensor x = input.dtype == dtype ? input : input.to(dtype);               // [..., inputs]
        return nn.functional.linear(x, weight.to(dtype), bias.to(dtype)).MoveToOuterDisposeScope();
    }

    internal void Initialize(BertConfig config)
    {
        nn.init.normal_(weight, 0, config.InitializerRange);
        nn.init.zeros_(bias);
    }
}
