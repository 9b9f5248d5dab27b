using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>A safetensors file open for reading; its header is checked before anything else is believed.</summary>
public sealed class SafetensorsReader : IDisposable
{
    private readonly SafeFileHandle file;

    private SafetensorsReader(string path, SafeFileHandle file, SafetensorsHeader header) =>
        (Path, this.file, Header) = (path, file, header);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its checked header.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="SafetensorsException">The file breaks the format; the message names the fault and the file.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static SafetensorsReader Open(string path)
    {
        var file = File.OpenHandle(path);
        try
        {
            var header = SafetensorsHeader.Read((buffer, offset) => Fill(file, buffer, offset), RandomAccess.GetLength(file));
            return new SafetensorsReader(path, file, header);
        }
        catch (SafetensorsException exception)
        {
            file.Dispose();
            throw new SafetensorsException($"{path} is not a sound safetensors file: {exception.Message}.", exception);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor's values into one of the same shape: straight into its memory where the number types are equal.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="SafetensorsException">The file has been cut since it was opened.</exception>
    public void ReadInto(SafetensorsEntry entry, Tensor destination)
    {
        if (!destination.shape.SequenceEqual(entry.Shape))
            throw new ArgumentException(
                $"'{entry.Name}' has shape [{string.Join(", ", entry.Shape)}], its destination [{string.Join(", ", destination.shape)}].");
        if (destination.dtype == entry.Dtype && destination.device_type == TorchSharp.DeviceType.CPU && destination.is_contiguous())
        {
            ReadBytes(entry, destination);
            return;
        }
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        destination.copy_(Read(entry));
    }

    /// <summary>Reads a tensor in the number type of the file.</summary>
    /// <exception cref="SafetensorsException">The file has been cut since it was opened.</exception>
    public Tensor Read(SafetensorsEntry entry)
    {
        var tensor = empty(entry.Shape, entry.Dtype);
        try
        {
            ReadBytes(entry, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    private void ReadBytes(SafetensorsEntry entry, Tensor tensor)
    {
        long start = Header.DataStart + entry.Begin;
        try
        {
            TensorMemory.ForEachPiece(tensor, (bytes, offset) => Fill(file, bytes, start + offset));
        }
        catch (SafetensorsException exception)
        {
            throw new SafetensorsException($"{Path}: tensor '{entry.Name}': {exception.Message}.", exception);
        }
    }

    private static void Fill(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        while (buffer.Length > 0)
        {
            int read = RandomAccess.Read(file, buffer, offset);
            if (read == 0) throw new SafetensorsException($"the file ends at byte {offset}, {buffer.Length} bytes too early");
            buffer = buffer[read..];
            offset += read;
        }
    }
}

/// <summary>A CPU tensor's bytes in pieces that a span can hold (a span ends at 2 GiB).</summary>
internal static class TensorMemory
{
    private const long ElementsAPiece = 1 << 27;

    /// <summary>Handles each piece of a contiguous tensor's memory in turn.</summary>
    public delegate void Piece(Span<byte> bytes, long offset);

    /// <summary>Calls <paramref name="handle"/> with each piece and its offset in bytes.</summary>
    public static void ForEachPiece(Tensor tensor, Piece handle)
    {
        using var noGrad = no_grad();
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

/// <summary>A safetensors file that breaks the format; the message names the fault and the file.</summary>
public sealed class SafetensorsException : CheckpointException
{
    /// <summary>Carries one sentence that names the fault.</summary>
    public SafetensorsException(string message, Exception? innerException = null) : base(message, innerException) { }
}
