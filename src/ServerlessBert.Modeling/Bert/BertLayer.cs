using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One encoder layer: attention, then the feed-forward layer.</summary>
public sealed class BertLayer : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertAttention attention;
    private readonly BertIntermediate intermediate;
    private readonly BertOutput output;

    internal BertLayer(BertConfig config) : base(nameof(BertLayer))
    {
        attention = new BertAttention(config);
        intermediate = new BertIntermediate(config);
        output = new BertOutput(config);
        RegisterComponents();
    }

    /// <summary>The states that ask, [batch, asking, hidden], all states, and the scores' bias, as in <see cref="BertSelfAttention"/> → the askers' next states, [batch, asking, hidden].</summary>
    public override Tensor forward(Tensor asking, Tensor hidden, Tensor? bias)
    {
        using var attended = attention.call(asking, hidden, bias);               // [batch, asking, hidden]
        using var wide = intermediate.call(attended);                            // [batch, asking, intermediate]
        return output.call(wide, attended);                                      // [batch, asking, hidden]
    }
}
