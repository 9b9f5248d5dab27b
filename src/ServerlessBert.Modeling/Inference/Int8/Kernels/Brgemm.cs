using System.Runtime.InteropServices;
using TorchSharp;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>
/// oneDNN's microkernel for products of small matrices (batch-reduce GEMM: Georganas et al. 2020, arXiv:1906.06440), which
/// libtorch exports as <c>at::native::cpublas::brgemm</c>. It runs on the calling thread and leaves the result in cache, so
/// what follows a product can read it there. libtorch compiles a kernel for each shape and keeps it for the thread:
/// callers keep the number of shapes small.
/// </summary>
internal static unsafe class Brgemm
{
    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, byte*, sbyte*, int*, byte, void> Bytes;
    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, ushort*, ushort*, float*, byte, void> BFloat16s;
    private static readonly delegate* unmanaged<long, long, long, long, long, long, byte, float*, float*, float*, byte, void> Floats;

    static Brgemm()
    {
        // Names as the Itanium C++ ABI mangles them: Linux only. Another libtorch may have other parameters and so other names.
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        // oneDNN told to use fewer instructions refuses by an exception, which nobody could catch here.
        if (Environment.GetEnvironmentVariable("ONEDNN_MAX_CPU_ISA") is not null
            || Environment.GetEnvironmentVariable("DNNL_MAX_CPU_ISA") is not null) return;
        if (!NativeLibrary.TryLoad("torch_cpu", typeof(torch).Assembly, null, out nint library)
            || !NativeLibrary.TryGetExport(library, "_ZN2at3cpu24is_avx512_vnni_supportedEv", out nint hasVnni)
            || !NativeLibrary.TryGetExport(library, "_ZN2at3cpu24is_avx512_bf16_supportedEv", out nint hasBFloat16)
            || !NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas6brgemmEllllllbPKhPKaPib", out nint bytes)
            || !NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb", out nint bfloat16s)
            || !NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas6brgemmEllllllbPKfS3_Pfb", out nint floats)
            || !NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas14brgemm_releaseEb", out nint release)) return;
        IsSupported = ((delegate* unmanaged<byte>)hasVnni)() != 0;
        MultipliesBFloat16 = IsSupported && ((delegate* unmanaged<byte>)hasBFloat16)() != 0;
        Bytes = (delegate* unmanaged<long, long, long, long, long, long, byte, byte*, sbyte*, int*, byte, void>)bytes;
        BFloat16s = (delegate* unmanaged<long, long, long, long, long, long, byte, ushort*, ushort*, float*, byte, void>)bfloat16s;
        Floats = (delegate* unmanaged<long, long, long, long, long, long, byte, float*, float*, float*, byte, void>)floats;
        ReleaseTiles = (delegate* unmanaged<byte, void>)release;
    }

    private static readonly delegate* unmanaged<byte, void> ReleaseTiles;

    /// <summary>Whether this libtorch has the kernels and this processor the instructions for bytes (AVX512-VNNI).</summary>
    public static bool IsSupported { get; }

    /// <summary>Whether the processor multiplies bfloat16 too (AVX512-BF16).</summary>
    public static bool MultipliesBFloat16 { get; }

    /// <summary>result = left × right, [rows, columns], exactly.</summary>
    /// <param name="rows">Rows of left.</param>
    /// <param name="columns">Columns of right and of the result, without gaps.</param>
    /// <param name="depth">Columns of left, a multiple of 4.</param>
    /// <param name="left">[rows, depth].</param>
    /// <param name="leftStride">From a row of left to its next.</param>
    /// <param name="right">[depth / 4, columns, 4].</param>
    /// <param name="result">[rows, columns].</param>
    public static void Multiply(int rows, int columns, int depth, byte* left, int leftStride, sbyte* right, int* result) =>
        Bytes(rows, columns, depth, leftStride, columns, columns, 0, left, right, result, 1);

    /// <summary>result = left × right, or result += left × right, in bfloat16 summed in float32.</summary>
    /// <param name="rows">Rows of left.</param>
    /// <param name="columns">Columns of right.</param>
    /// <param name="depth">Columns of left, even.</param>
    /// <param name="left">[rows, depth].</param>
    /// <param name="leftStride">From a row of left to its next.</param>
    /// <param name="right">[depth / 2, columns, 2].</param>
    /// <param name="result">[rows, columns].</param>
    /// <param name="resultStride">From a row of the result to its next.</param>
    /// <param name="accumulate">Whether the product is added.</param>
    public static void Multiply(
        int rows, int columns, int depth, ushort* left, int leftStride, ushort* right, float* result, int resultStride, bool accumulate) =>
        BFloat16s(rows, columns, depth, leftStride, columns, resultStride, accumulate ? (byte)1 : (byte)0, left, right, result, 1);

    /// <summary>The same in float32; right is [depth, columns].</summary>
    public static void Multiply(
        int rows, int columns, int depth, float* left, int leftStride, float* right, float* result, int resultStride, bool accumulate) =>
        Floats(rows, columns, depth, leftStride, columns, resultStride, accumulate ? (byte)1 : (byte)0, left, right, result, 0);

    /// <summary>Gives back what a processor with AMX holds for a thread's products; the thread's next one takes it again.</summary>
    public static void Release() => ReleaseTiles(1);
}
