using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>The activation of a feed-forward layer, on sixteen values.</summary>
internal interface IActivation
{
    /// <summary>The activation of each.</summary>
    static abstract Vector512<float> Apply(Vector512<float> x);
}

/// <summary>
/// GELU, x Φ(x). Φ(x) = 1/2 + x p(x²) with a polynomial of degree 8 in x² that is exactly 0 or 1 at |x| = 4.25, whose largest
/// error up to there is least; beyond, it stays so. Within 6e-5 of the exact function, where the bytes that follow have
/// steps of 1e-2.
/// </summary>
internal readonly struct GeluActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x) => GeluPolynomial.Apply(x,
        0.165934641f, -0.0807556546f, 0.0557187361f, -0.0394482315f, 0.0255733225f, -0.0137770414f, 0.00843044289f, -0.00669709416f,
            0.00266793772f);
}

/// <summary>GELU by a hyperbolic tangent, as GPT-2 has it: x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, within 5e-5.</summary>
internal readonly struct GeluTanhActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x) => GeluPolynomial.Apply(x,
        0.165979899f, -0.0808809062f, 0.0557824823f, -0.0390174243f, 0.0248131341f, -0.0139549897f, 0.00926321635f, -0.00671703355f,
            0.00237868065f);
}

/// <summary>max(x, 0).</summary>
internal readonly struct ReluActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x) => Vector512.MaxNative(x, Vector512<float>.Zero);
}

file static class GeluPolynomial
{
    private const float Limit = 4.25f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> x, float c0, float c1, float c2, float c3, float c4, float c5, float c6,
        float c7, float c8)
    {
        Vector512<float> inside = Vector512.MinNative(Vector512.MaxNative(x, Vector512.Create(-Limit)), Vector512.Create(Limit));
        // The polynomial's argument goes from -1 to 1, where float32 evaluates it well.
        Vector512<float> t = Vector512.FusedMultiplyAdd(inside * inside, Vector512.Create(2 / (Limit * Limit)), Vector512.Create(-1f));
        Vector512<float> p = Vector512.FusedMultiplyAdd(Vector512.Create(c8), t, Vector512.Create(c7));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c6));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c5));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c4));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c3));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c2));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c1));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(c0));
        return x * Vector512.FusedMultiplyAdd(inside, p, Vector512.Create(0.5f));
    }
}
