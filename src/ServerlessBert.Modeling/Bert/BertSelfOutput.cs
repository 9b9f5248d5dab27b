using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The projection after self-attention, its dropout, residual and LayerNorm.</summary>
public sealed class BertSelfOutput : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly LayerNorm LayerNorm;
    private readonly BertDropout dropout;

    internal BertSelfOutput(BertConfig config) : base(nameof(BertSelfOutput))
    {
        dense = new BertLinear(config.HiddenSize, config.HiddenSize);
        LayerNorm = Blank.LayerNorm(config);
        dropout = new BertDropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <summary>Contexts and the residual, both [batch, sequence, hidden] → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor context, Tensor residual)
    {
        using var scope = NewDisposeScope();
        var projected = dropout.call(dense.call(context));                       // [batch, sequence, hidden]
        return LayerNorm.call(projected + residual).MoveToOuterDisposeScope();   // [batch, sequence, hidden]
    }
}
