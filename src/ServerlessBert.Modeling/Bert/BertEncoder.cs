using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>The stack of layers.</summary>
public sealed class BertEncoder : nn.Module<Tensor, Tensor?, Tensor?, Tensor>
{
    private readonly ModuleList<BertLayer> layer;

    internal BertEncoder(BertConfig config) : base(nameof(BertEncoder))
    {
        layer = new ModuleList<BertLayer>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new BertLayer(config))]);
        RegisterComponents();
    }

    /// <summary>
    /// States [batch, sequence, hidden], the scores' bias ([batch, 1, 1, sequence] or null), and the positions whose last
    /// states are wanted, [batch, wanted] int64, null for all → [batch, wanted, hidden]. The last layer computes no other
    /// queries and feed-forwards than the wanted ones: in a shallow model half of all work.
    /// </summary>
    public override Tensor forward(Tensor hidden, Tensor? bias, Tensor? wanted)
    {
        var current = hidden.alias();
        for (int index = 0; index < layer.Count; index++)
        {
            using var asking = wanted is not null && index == layer.Count - 1 ? Rows(current, wanted) : current.alias();
            var next = layer[index].call(asking, current, bias);                 // [batch, sequence or wanted, hidden]
            current.Dispose();
            current = next;
        }
        return current;
    }

    // Not gather: its backward pass adds element by element.
    private static Tensor Rows(Tensor hidden, Tensor wanted)
    {
        using var scope = NewDisposeScope();
        var (batch, sequence) = (hidden.size(0), hidden.size(1));
        var first = arange(batch, int64, hidden.device).mul_(sequence).unsqueeze(1); // [batch, 1]
        return hidden.flatten(0, 1).index_select(0, (first + wanted).flatten())  // [batch * wanted, hidden]
            .unflatten(0, batch, wanted.size(1)).MoveToOuterDisposeScope();      // [batch, wanted, hidden]
    }
}
