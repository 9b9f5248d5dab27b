using TorchSharp;

namespace ServerlessBert.Modeling.Tests;

/// <summary>How many tensors are alive, once those that earlier tests left to the finalizer are gone.</summary>
internal static class TensorCount
{
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return torch.Tensor.TotalCount;
    }
}
