using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The stack of layers.</summary>
public sealed class BertEncoder : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly ModuleList<BertLayer> layer;

    internal BertEncoder(BertConfig config) : base(nameof(BertEncoder))
    {
        layer = new ModuleList<BertLayer>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new BertLayer(config))]);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] and the scores' bias ([batch, 1, 1, sequence] or null) → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor hidden, Tensor? bias)
    {
        var current = hidden.alias();
        foreach (var each in layer)
        {
            var next = each.call(current, bias);                                 // [batch, sequence, hidden]
            current.Dispose();
            current = next;
        }
        return current;
    }
}
