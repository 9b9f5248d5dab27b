using ServerlessBert.Modeling.Inference.Int8.Kernels;

namespace ServerlessBert.Modeling.Tests.Inference.Int8;

/// <summary>A fact about products of bytes, which only some processors have.</summary>
public sealed class VnniFactAttribute : FactAttribute
{
    public VnniFactAttribute()
    {
        if (!Brgemm.IsSupported) Skip = "This processor, or this platform's libtorch, has no products of bytes (AVX512-VNNI).";
    }
}
