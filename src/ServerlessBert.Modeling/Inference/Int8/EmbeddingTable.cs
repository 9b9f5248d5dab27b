using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ServerlessBert.Modeling.Checkpoints;
using ServerlessBert.Modeling.Inference.Int8.Kernels;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Inference.Int8;

/// <summary>Word embeddings, in bfloat16 where they are stored so, and positions with the first segment's type in them.</summary>
internal sealed unsafe class EmbeddingTable : IDisposable
{
    private readonly int stride;
    private readonly NativeBuffer<ushort>? halfWords; // [words, stride]
    private readonly NativeBuffer<float>? words;
    private readonly NativeBuffer<float> positions; // [positions, stride]

    /// <summary>Reads the tables. Use it in a dispose scope.</summary>
    public EmbeddingTable(IWeightSource weights, EncoderShape shape)
    {
        const string prefix = "bert.embeddings", types = $"{prefix}.token_type_embeddings.weight";
        stride = shape.Stride;
        Tensor stored = weights.Read($"{prefix}.word_embeddings.weight");
        if (stored.dtype == bfloat16) halfWords = Fill<ushort>(stored);
        else words = Fill<float>(stored.to(float32));
        Tensor sum = weights.Read($"{prefix}.position_embeddings.weight").to(float32);
        // Every review is one segment, so its type's row is a constant of the positions.
        positions = Fill<float>(weights.Has(types) ? sum + weights.Read(types)[0].to(float32) : sum);
    }

    /// <summary>Writes a token's embedding before its norm.</summary>
    /// <param name="id">The token.</param>
    /// <param name="position">Its place in the review.</param>
    /// <param name="target">[stride].</param>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such token or no such position.</exception>
    public void Write(int id, int position, float* target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)((halfWords?.Length ?? words!.Length) / stride), nameof(id));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)(positions.Length / stride), nameof(position));
        float* place = positions.Pointer + (long)position * stride;
        if (halfWords is not null)
        {
            ushort* word = halfWords.Pointer + (long)id * stride;
            for (int i = 0; i < stride; i += Lanes.Count) (Lanes.LoadBFloat16(word + i) + Vector512.Load(place + i)).Store(target + i);
            return;
        }
        float* row = words!.Pointer + (long)id * stride;
        for (int i = 0; i < stride; i += Lanes.Count) (Vector512.Load(row + i) + Vector512.Load(place + i)).Store(target + i);
    }

    private NativeBuffer<T> Fill<T>(Tensor table) where T : unmanaged
    {
        long rows = table.shape[0], width = table.shape[1];
        var buffer = new NativeBuffer<T>(rows * stride);
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(table.contiguous().bytes);
        for (long row = 0; row < rows; row++) values.Slice((int)(row * width), (int)width)
            .CopyTo(new Span<T>(buffer.Pointer + row * stride, (int)width));
        return buffer;
    }

    public void Dispose()
    {
        halfWords?.Dispose();
        words?.Dispose();
        positions.Dispose();
    }
}
