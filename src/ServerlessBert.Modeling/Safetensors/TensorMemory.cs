using static TorchSharp.torch;

namespace ServerlessBert.Modeling;

/// <summary>A CPU tensor's bytes in pieces that a span can hold (a span ends at 2 GiB).</summary>
internal static class TensorMemory
{
    private const long ElementsAPiece = 1 << 27;

    /// <summary>Handles each piece of a contiguous tensor's memory in turn.</summary>
    public delegate void Piece(Span<byte> bytes, long offset);

    /// <summary>Calls <paramref name="handle"/> with each piece and its offset in bytes.</summary>
    public static void ForEachPiece(Tensor tensor, Piece handle)
    {
        using var ungraded = no_grad();
        long elements = tensor.numel(), size = tensor.element_size();
        if (elements == 0) return;
        using var flat = tensor.view(-1);
        for (long start = 0; start < elements; start += ElementsAPiece)
        {
            using var piece = flat.narrow(0, start, Math.Min(ElementsAPiece, elements - start));
            handle(piece.bytes, start * size);
        }
    }
}
