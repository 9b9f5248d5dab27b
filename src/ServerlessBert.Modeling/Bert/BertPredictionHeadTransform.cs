using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The layer before the masked language model's decoder: linear, activation, LayerNorm.</summary>
public sealed class BertPredictionHeadTransform : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly Func<Tensor, Tensor> activation;

    internal BertPredictionHeadTransform(BertConfig config) : base(nameof(BertPredictionHeadTransform))
    {
        dense = Blank.Linear(config.HiddenSize, config.HiddenSize);
        LayerNorm = Blank.LayerNorm(config);
        activation = Activation.Of(config.HiddenAct);
        RegisterComponents();
    }

    /// <summary>[…, hidden] → […, hidden].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return LayerNorm.call(activation(dense.call(hidden))).MoveToOuterDisposeScope();
    }
}
