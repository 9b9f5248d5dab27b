using System.Text.Json.Serialization;
using ServerlessBert.Modeling.Inference;
using ServerlessBert.Modeling.Options;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Training;

/// <summary>The dtype in which a training computes the encoder's products; weights and loss are float32 in every case.</summary>
public enum Precision
{
    /// <summary>bfloat16 where the device computes it faster, else float32.</summary>
    Auto,

    /// <summary>32-bit floats.</summary>
    Float32,

    /// <summary>Products in bfloat16, all else in float32.</summary>
    [OptionWords("bf16-mixed", "bfloat16"), JsonStringEnumMemberName("bFloat16")]
    BFloat16Mixed,
}

/// <summary>Settles what <see cref="Precision.Auto"/> leaves to a measurement.</summary>
public static class PrecisionSelection
{
    /// <summary>
    /// The options with the precision that auto means on a device, so that a training that resumes elsewhere does not choose again.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="device">Where they are used.</param>
    public static TrainingOptions ChosenFor(this TrainingOptions options, Device device) =>
        options with { Precision = options.Precision.ChosenFor(device) };

    internal static Precision ChosenFor(this Precision precision, Device device) =>
        precision.On(device) == bfloat16 ? Precision.BFloat16Mixed : Precision.Float32;

    /// <summary>The dtype of products on a device.</summary>
    internal static ScalarType On(this Precision precision, Device device) => precision switch
    {
        Precision.Float32 => float32,
        Precision.BFloat16Mixed => bfloat16,
        _ => InferenceDtype.Auto.On(device),
    };
}
