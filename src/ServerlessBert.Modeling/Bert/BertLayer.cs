using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>One encoder layer: attention, then the feed-forward layer.</summary>
public sealed class BertLayer : nn.Module<Tensor, Tensor?, Tensor>
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

    /// <summary>[batch, sequence, hidden] and the scores' bias ([batch, 1, 1, sequence] or null) → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor hidden, Tensor? bias)
    {
        using var attended = attention.call(hidden, bias);                       // [batch, sequence, hidden]
        using var wide = intermediate.call(attended);                            // [batch, sequence, intermediate]
        return output.call(wide, attended);                                      // [batch, sequence, hidden]
    }
}
