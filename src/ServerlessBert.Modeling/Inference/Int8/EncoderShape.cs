using ServerlessBert.Modeling.Bert;
using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>
/// A model's widths as the kernels want them: rows end at a multiple of a panel's width, a head's part of them at a multiple
/// of a vector's; what is beyond the model's own numbers is zero.
/// </summary>
internal sealed record EncoderShape
{
    /// <param name="config">The model's shape.</param>
    public EncoderShape(BertConfig config)
    {
        Hidden = config.HiddenSize;
        Stride = Lanes.RoundUp(config.HiddenSize, QuantizedLinear.PanelWidth);
        InnerStride = Lanes.RoundUp(config.IntermediateSize, QuantizedLinear.PanelWidth);
        Heads = config.NumAttentionHeads;
        Head = Lanes.RoundUp(config.HeadSize, Lanes.Count);
        HeadsStride = Lanes.RoundUp(Heads * Head, QuantizedLinear.PanelWidth);
        HiddenAct = config.HiddenAct;
    }

    /// <summary>Numbers of a hidden state.</summary>
    public int Hidden { get; }

    /// <summary>Their row.</summary>
    public int Stride { get; }

    /// <summary>The row inside of the feed-forward layer.</summary>
    public int InnerStride { get; }

    /// <summary>Attention heads.</summary>
    public int Heads { get; }

    /// <summary>Numbers of a head, filled up.</summary>
    public int Head { get; }

    /// <summary>The row of all heads' queries, keys or values.</summary>
    public int HeadsStride { get; }

    /// <summary>The activation's name.</summary>
    public string HiddenAct { get; }
}
