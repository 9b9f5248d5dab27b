using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Self-attention and its output, the first half of a layer.</summary>
public sealed class BertAttention : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertSelfAttention self;
    private readonly BertSelfOutput output;

    internal BertAttention(BertConfig config) : base(nameof(BertAttention))
    {
        self = new BertSelfAttention(config);
        output = new BertSelfOutput(config);
        RegisterComponents();
    }

    /// <summary>The states that ask, [batch, asking, hidden], all states, and the scores' bias, as in <see cref="BertSelfAttention"/> → [batch, asking, hidden].</summary>
    public override Tensor forward(Tensor asking, Tensor hidden, Tensor? bias)
    {
        using var context = self.call(asking, hidden, bias);                     // [batch, asking, hidden]
        return output.call(context, asking);                                     // [batch, asking, hidden]
    }
}
