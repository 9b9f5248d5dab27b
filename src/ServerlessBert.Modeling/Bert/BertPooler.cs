using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>What the classifier sees: the first token's state through a linear layer and tanh (ReLU in DistilBERT).</summary>
public sealed class BertPooler : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly Func<Tensor, Tensor> activation;

    internal BertPooler(BertConfig config) : base(nameof(BertPooler))
    {
        dense = Blank.Linear(config.HiddenSize, config.HiddenSize);
        activation = Activation.Of(config.PoolerAct);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] → [batch, hidden].</summary>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var first = hidden.select(1, 0);                                         // [batch, hidden]
        return activation(dense.call(first)).MoveToOuterDisposeScope();          // [batch, hidden]
    }
}
