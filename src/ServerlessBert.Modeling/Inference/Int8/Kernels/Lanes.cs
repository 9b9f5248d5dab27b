using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>
/// Operations on sixteen floats that <see cref="Vector512"/> has not. Where the processor has no vectors of 512 bits,
/// .NET makes two or four narrower ones of each.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>Floats in a vector.</summary>
    public const int Count = 16;

    // The least exponent of a float that is not subnormal.
    private const float LeastExponent = -126;

    /// <summary>The least multiple of <paramref name="multiple"/> that is not below <paramref name="value"/>.</summary>
    public static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <summary>The nearest integers, the even one of two as near.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Round(Vector512<float> values) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Int32(values)
        : Vector512.ConvertToInt32Native(Vector512.Round(values));

    /// <summary>2^x for x ≤ 0, within 3e-6 of itself; 0 below 2^-126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        x = Vector512.MaxNative(x, Vector512.Create(LeastExponent - 1)); // whose bits below are those of 0
        Vector512<int> whole = Round(x);
        Vector512<float> rest = x - Vector512.ConvertToSingle(whole); // -0.5 to 0.5
        // 2^rest by a polynomial whose largest relative error is least.
        Vector512<float> power = Vector512.FusedMultiplyAdd(Vector512.Create(0.00957010143f), rest, Vector512.Create(0.0559178603f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.240247448f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.693121815f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.999999261f));
        return power * ((whole + Vector512.Create(127)) << 23).AsSingle();
    }

    /// <summary>The nearest bfloat16, the even one of two as near.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> RoundToBFloat16(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        return ((bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    /// <summary>Stores the upper 16 bits of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUpperHalves(Vector512<uint> bits, ushort* target)
    {
        Vector512<uint> halves = bits >> 16;
        if (Avx512F.IsSupported) Avx512F.ConvertToVector256UInt16(halves).Store(target);
        else Vector256.Narrow(halves.GetLower(), halves.GetUpper()).Store(target);
    }

    /// <summary>Loads sixteen bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBFloat16(ushort* source) => (Widen(source) << 16).AsSingle();

    /// <summary>Loads sixteen numbers of 16 bits into 32 bits each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Widen(ushort* source)
    {
        Vector256<ushort> values = Vector256.Load(source);
        return Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(values)
            : Vector512.Create(Vector256.WidenLower(values), Vector256.WidenUpper(values));
    }

    /// <summary>Stores sixteen integers of 0 to 255, above which they become 255, as bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector512<int> values, byte* target)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128ByteWithSaturation(values.AsUInt32()).Store(target);
            return;
        }
        Vector512<uint> capped = Vector512.Min(values.AsUInt32(), Vector512.Create(255u));
        Vector256<ushort> halves = Vector256.Narrow(capped.GetLower(), capped.GetUpper());
        Vector128.Narrow(halves.GetLower(), halves.GetUpper()).Store(target);
    }

    /// <summary>The least of sixteen.</summary>
    public static float Least(Vector512<float> values)
    {
        Vector256<float> eight = Vector256.MinNative(values.GetLower(), values.GetUpper());
        Vector128<float> four = Vector128.MinNative(eight.GetLower(), eight.GetUpper());
        return Math.Min(Math.Min(four[0], four[1]), Math.Min(four[2], four[3]));
    }

    /// <summary>The greatest of sixteen.</summary>
    public static float Greatest(Vector512<float> values) => -Least(-values);
}
