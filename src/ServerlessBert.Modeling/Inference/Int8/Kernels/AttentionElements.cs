using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>The dtype that attention multiplies in: queries, keys, values and the softmax's weights.</summary>
/// <typeparam name="T">How it is stored.</typeparam>
internal unsafe interface IAttentionElement<T> where T : unmanaged
{
    /// <summary>Neighbours along a product's depth that stand together, in 32 bits.</summary>
    static abstract int Group { get; }

    /// <summary>Rounds sixteen floats and stores them.</summary>
    static abstract void Store(Vector512<float> values, T* target);

    /// <summary>Loads sixteen.</summary>
    static abstract Vector512<float> Load(T* source);

    /// <summary>What <see cref="Store"/> rounds to.</summary>
    static abstract Vector512<float> Round(Vector512<float> values);

    /// <summary>Stores what <see cref="Round"/> gave.</summary>
    static abstract void StoreRounded(Vector512<float> values, T* target);

    /// <summary>Puts <see cref="Group"/> rows of sixteen together, element by element: [16, Group].</summary>
    /// <param name="row">The first.</param>
    /// <param name="next">The second; unused where a group is one.</param>
    /// <param name="target">Sixteen times 32 bits.</param>
    static abstract void Interleave(T* row, T* next, uint* target);

    /// <inheritdoc cref="Brgemm.Multiply(int, int, int, ushort*, int, ushort*, float*, int, bool)"/>
    static abstract void Multiply(
        int rows, int columns, int depth, T* left, int leftStride, T* right, float* result, int resultStride, bool accumulate);
}

/// <summary>bfloat16, where the processor multiplies it.</summary>
internal readonly unsafe struct BFloat16Element : IAttentionElement<ushort>
{
    public static int Group => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ushort* target) =>
        Lanes.StoreUpperHalves(Lanes.RoundToBFloat16(values).AsUInt32(), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* source) => Lanes.LoadBFloat16(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values) => Lanes.RoundToBFloat16(values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRounded(Vector512<float> values, ushort* target) => Lanes.StoreUpperHalves(values.AsUInt32(), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(ushort* row, ushort* next, uint* target) => (Lanes.Widen(row) | (Lanes.Widen(next) << 16)).Store(target);

    public static void Multiply(
        int rows, int columns, int depth, ushort* left, int leftStride, ushort* right, float* result, int resultStride, bool accumulate) =>
        Brgemm.Multiply(rows, columns, depth, left, leftStride, right, result, resultStride, accumulate);
}

/// <summary>float32, elsewhere.</summary>
internal readonly unsafe struct FloatElement : IAttentionElement<float>
{
    public static int Group => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, float* target) => values.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values) => values;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRounded(Vector512<float> values, float* target) => values.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(float* row, float* next, uint* target) => Vector512.Load((uint*)row).Store(target);

    public static void Multiply(
        int rows, int columns, int depth, float* left, int leftStride, float* right, float* result, int resultStride, bool accumulate) =>
        Brgemm.Multiply(rows, columns, depth, left, leftStride, right, result, resultStride, accumulate);
}
