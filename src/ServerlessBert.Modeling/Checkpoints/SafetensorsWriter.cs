using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Checkpoints;

/// <summary>Writes safetensors files as the reference library lays them out: the same tensors give the same bytes.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>
    /// Writes tensors to a file, which appears whole or not at all. Floating-point tensors are converted to
    /// <paramref name="dtype"/> one at a time; null keeps each as it is.
    /// </summary>
    /// <exception cref="ArgumentException">A number type that the format has no name for.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, ScalarType? dtype = null)
    {
        var plan = Plan(tensors, dtype);
        string partial = path + ".partial";
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(Header(plan));
                foreach (var (_, tensor, type) in plan) WriteData(stream, tensor, type);
            }
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static List<(string Name, Tensor Tensor, ScalarType Dtype)> Plan(IEnumerable<KeyValuePair<string, Tensor>> tensors,
        ScalarType? dtype) =>
    [
        .. tensors
            .Select(pair => (
                Name: pair.Key, Tensor: pair.Value, Dtype: pair.Value.is_floating_point() ? dtype ?? pair.Value.dtype : pair.Value.dtype))
            .OrderBy(tensor => SafetensorsDtype.Rank(tensor.Dtype))
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal),
    ];

    private static byte[] Header(List<(string Name, Tensor Tensor, ScalarType Dtype)> plan)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteJson(json, plan);
        int padded = (buffer.WrittenCount + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[Alignment + padded];
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        header.AsSpan(Alignment).Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(header.AsSpan(Alignment));
        return header;
    }

    private static void WriteJson(Utf8JsonWriter json, List<(string Name, Tensor Tensor, ScalarType Dtype)> plan)
    {
        json.WriteStartObject();
        json.WriteStartObject("__metadata__");
        json.WriteString("format", "pt");
        json.WriteEndObject();
        long offset = 0;
        foreach (var (name, tensor, dtype) in plan)
        {
            long end = offset + tensor.numel() * SafetensorsDtype.Size(dtype);
            json.WriteStartObject(name);
            json.WriteString("dtype", SafetensorsDtype.Name(dtype));
            WriteIntegers(json, "shape", tensor.shape);
            WriteIntegers(json, "data_offsets", [offset, end]);
            json.WriteEndObject();
            offset = end;
        }
        json.WriteEndObject();
    }

    private static void WriteIntegers(Utf8JsonWriter json, string name, long[] integers)
    {
        json.WriteStartArray(name);
        foreach (long integer in integers) json.WriteNumberValue(integer);
        json.WriteEndArray();
    }

    private static void WriteData(FileStream stream, Tensor tensor, ScalarType dtype)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var stored = tensor.detach().cpu().to(dtype).contiguous();
        TensorMemory.ForEachPiece(stored, (bytes, _) => stream.Write(bytes));
    }
}
