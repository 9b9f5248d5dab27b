using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>Settles what <see cref="TrainingOptions.Compute"/> leaves to a measurement.</summary>
public static class ComputeChoice
{
    /// <summary>The options with the number type that auto means on a device, so that a training that is resumed elsewhere does not choose anew.</summary>
    public static TrainingOptions ChosenFor(this TrainingOptions options, Device device) =>
        options with { Compute = options.Compute.On(device) == bfloat16 ? InferenceDtype.BFloat16 : InferenceDtype.Float32 };
}
