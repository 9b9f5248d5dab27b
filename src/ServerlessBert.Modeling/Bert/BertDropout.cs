using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Inverted dropout (Srivastava et al. 2014); its masks come from <see cref="DropoutMask"/> on the CPU, from torch's generator on a GPU.</summary>
public sealed class BertDropout : nn.Module<Tensor, Tensor>
{
    internal BertDropout(double probability) : base(nameof(BertDropout))
    {
        Probability = probability;
        RegisterComponents();
    }

    /// <summary>The share that is dropped in training.</summary>
    internal double Probability { get; set; }

    /// <summary>Where masks come from; one for a whole model, so that no two dropouts draw the same.</summary>
    internal DropoutMask Mask { get; set; } = new(seed: 0);

    /// <summary>Any shape; unchanged in evaluation.</summary>
    public override Tensor forward(Tensor input)
    {
        if (!training || Probability == 0) return input.alias();
        if (input.device_type != DeviceType.CPU) return nn.functional.dropout(input, Probability);
        using Tensor mask = Mask.Draw(input.shape, Probability, input.dtype);
        return input * mask;
    }
}
