using TorchSharp;

namespace ServerlessBert.Modeling.Bert;

/// <summary>
/// Numbers that native code reads, held. TorchSharp gives a number to an operation as a <see cref="Scalar"/> whose pointer it hands on
/// without holding the object: of a temporary one, a finalizer can free it before libtorch has read it, and the operation throws
/// "Expected false to be true" or computes with another number. The sum of two tensors has such a number too, its alpha of 1. So
/// numbers are held here, or by <c>using Scalar</c> until the operation has returned.
/// </summary>
internal static class HeldScalar
{
    /// <summary>0.</summary>
    public static readonly Scalar Zero = 0;

    /// <summary>1, the alpha of a sum.</summary>
    public static readonly Scalar One = 1;
}
