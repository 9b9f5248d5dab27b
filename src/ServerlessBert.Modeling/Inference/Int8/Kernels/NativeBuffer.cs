using System.Runtime.InteropServices;

namespace ServerlessBert.Modeling.Inference.Int8.Kernels;

/// <summary>Zeroed memory outside of .NET's heap, aligned to a cache line, for as long as it is not disposed.</summary>
/// <typeparam name="T">A number.</typeparam>
internal sealed unsafe class NativeBuffer<T> : IDisposable where T : unmanaged
{
    private const int Alignment = 64;

    private T* pointer;

    /// <param name="length">How many numbers.</param>
    public NativeBuffer(long length)
    {
        Length = length;
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        pointer = (T*)NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), Alignment);
        NativeMemory.Clear(pointer, bytes);
    }

    ~NativeBuffer() => Free();

    /// <summary>How many numbers.</summary>
    public long Length { get; }

    /// <summary>The first of them.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public T* Pointer => pointer is not null ? pointer : throw new ObjectDisposedException(nameof(NativeBuffer<T>));

    /// <summary>All of them.</summary>
    public Span<T> Span => new(Pointer, checked((int)Length));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(pointer);
        pointer = null;
    }
}
