using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Self-attention and its output, the first half of a layer.</summary>
public sealed class BertAttention : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly BertSelfAttention self;
    private readonly BertSelfOutput output;

    internal BertAttention(BertConfig config) : base(nameof(BertAttention))
    {
        self = new BertSelfAttention(config);
        output = new BertSelfOutput(config);
        RegisterComponents();
    }

    /// <summary>[batch, sequence, hidden] and the scores' bias ([batch, 1, 1, sequence] or null) → [batch, sequence, hidden].</summary>
    public override Tensor forward(Tensor hidden, Tensor? bias)
    {
        using var context = self.call(hidden, bias);                             // [batch, sequence, hidden]
        return output.call(context, hidden);                                     // [batch, sequence, hidden]
    }
}
