using ServerlessBert.Modeling;
using TorchSharp;

namespace ServerlessBert.Trainer;

/// <summary>Where a training computes.</summary>
public static class ComputeDevice
{
    /// <summary>The device of a name.</summary>
    /// <param name="name">auto takes CUDA where there is a device; cpu; cuda.</param>
    /// <exception cref="TrainingException">cuda was asked for and there is none.</exception>
    public static torch.Device Named(string name)
    {
        if (name == "cpu") return torch.CPU;
        bool hasCuda = torch.cuda.is_available();
        if (name == "cuda" && !hasCuda)
            throw new TrainingException("There is no CUDA device here, or this build has the CPU's libtorch only; use --device cpu, or the trainer's CUDA image.");
        return hasCuda ? torch.CUDA : torch.CPU;
    }
}
