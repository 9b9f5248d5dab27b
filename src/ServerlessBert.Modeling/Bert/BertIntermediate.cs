using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The wide half of the feed-forward layer, with its activation.</summary>
public sealed class BertIntermediate : nn.Module<Tensor, Tensor>
{
    private readonly BertLinear dense;
    private readonly Func<Tensor, Tensor> activation;

    internal BertIntermediate(BertConfig config) : base(nameof(BertIntermediate))
    {
        dense = new BertLinear(config.HiddenSize, config.IntermediateSize);
        activation = Activation.Of(config.HiddenAct);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] → [batch, sequence, intermediate].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var wide = dense.call(hidden);                                     // [batch, sequence, intermediate]
        return activation(wide);                                                 // [batch, sequence, intermediate]
    }
}
