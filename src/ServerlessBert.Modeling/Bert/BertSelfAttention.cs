using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Multi-head scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).</summary>
public sealed class BertSelfAttention : nn.Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly BertLinear query;
    private readonly BertLinear key;
    private readonly BertLinear value;
    private readonly int heads;
    private readonly int headSize;
    private readonly BertDropout dropout;

    internal BertSelfAttention(BertConfig config) : base(nameof(BertSelfAttention))
    {
        query = new BertLinear(config.HiddenSize, config.HiddenSize);
        key = new BertLinear(config.HiddenSize, config.HiddenSize);
        value = new BertLinear(config.HiddenSize, config.HiddenSize);
        heads = config.NumAttentionHeads;
        headSize = config.HeadSize;
        dropout = new BertDropout(config.AttentionProbsDropoutProb);
        RegisterComponents();
    }

    /// <summary>The share of attention probabilities that is dropped in training.</summary>
    internal double DropoutProbability { set => dropout.Probability = value; }

    /// <summary>
    /// The states that ask, [batch, asking, hidden]; all states, [batch, sequence, hidden]; and what to add to the scores
    /// ([batch, 1, 1, sequence], or null where nothing is padding) → contexts [batch, asking, hidden].
    /// </summary>
    public override Tensor forward(Tensor asking, Tensor hidden, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var q = SplitHeads(query.call(asking));                                  // [batch, heads, asking, head]
        var k = SplitHeads(key.call(hidden));                                    // [batch, heads, sequence, head]
        var v = SplitHeads(value.call(hidden));                                  // [batch, heads, sequence, head]
        var context = hidden.device_type == DeviceType.CPU ? Explicit(q, k, v, bias) : Fused(q, k, v, bias);
        return context.transpose(1, 2).flatten(2)                                // [batch, asking, hidden]
            .MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor projected) => projected.unflatten(2, heads, headSize).transpose(1, 2);

    // On a CPU the fused kernel does not take dropout, and in bfloat16 it is slower than these three operations.
    internal Tensor Explicit(Tensor q, Tensor k, Tensor v, Tensor? bias)
    {
        var scores = Product(q, k.transpose(-2, -1)).mul_(1 / Math.Sqrt(headSize)); // [batch, heads, asking, sequence]
        if (bias is not null) scores.add_(bias);
        var probabilities = nn.functional.softmax(scores, -1);                   // [batch, heads, asking, sequence]
        return Product(dropout.call(probabilities), v);                          // [batch, heads, asking, head]
    }

    // Not matmul, which does just this: TorchSharp catches no error of matmul, and a want of memory would end the process.
    private static Tensor Product(Tensor left, Tensor right) =>
        left.flatten(0, 1).bmm(right.flatten(0, 1)).view(left.size(0), left.size(1), left.size(2), right.size(3));

    internal Tensor Fused(Tensor q, Tensor k, Tensor v, Tensor? bias) =>
        nn.functional.scaled_dot_product_attention(q, k, v, bias, training ? dropout.Probability : 0);
}
