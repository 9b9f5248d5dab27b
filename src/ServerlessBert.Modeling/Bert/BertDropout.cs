using TorchSharp;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Inverted dropout (Srivastava et al. 2014); its masks come from <see cref="DropoutMask"/> on the CPU, from torch's generator on a GPU.</summary>
public sealed class BertDropout : nn.Module<Tensor, Tensor>
{
    private readonly double p;

    internal BertDropout(double p) : base(nameof(BertDropout))
    {
        this.p = p;
        RegisterComponents();
    }

    /// <summary>Where masks come from; one for a whole model, so that no two dropouts draw the same.</summary>
    internal DropoutMask Mask { get; set; } = new(seed: 0);

    /// <summary>Any shape; unchanged in evaluation.</summary>
    public override Tensor forward(Tensor input)
    {
        if (!training || p == 0) return input.alias();
        if (input.device_type != DeviceType.CPU) return nn.functional.dropout(input, p);
        using Tensor mask = Mask.Draw(input.shape, p, input.dtype);
        return input * mask;
    }
}
