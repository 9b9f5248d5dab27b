using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The narrow half of the feed-forward layer, its dropout, residual and LayerNorm.</summary>
public sealed class BertOutput : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly LayerNorm LayerNorm;
    private readonly BertDropout dropout;

    internal BertOutput(BertConfig config) : base(nameof(BertOutput))
    {
        dense = new BertLinear(config.IntermediateSize, config.HiddenSize);
        LayerNorm = Blank.LayerNorm(config);
        dropout = new BertDropout(config.HiddenDropoutProb);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, intermediate] and the residual [batch, sequence, hidden] → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor wide, Tensor residual)
    {
        using var scope = NewDisposeScope();
        var narrow = dropout.call(dense.call(wide));                             // [batch, sequence, hidden]
        return LayerNorm.call(narrow + residual).MoveToOuterDisposeScope();      // [batch, sequence, hidden]
    }
}
