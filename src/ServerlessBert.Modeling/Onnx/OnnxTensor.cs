using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>A tensor of an ONNX file: onnx.proto's TensorProto, whose values are read when they are asked for.</summary>
/// <param name="name">Its name; empty for the value of a Constant node.</param>
/// <param name="dtype">Its dtype.</param>
/// <param name="shape">Its dimensions; empty for a scalar.</param>
internal sealed class OnnxTensor(string name, OnnxDtype dtype, long[] shape)
{
    private const int MaxDimensions = 16;

    private readonly List<ProtobufField> values = [];
    private readonly Dictionary<string, string> externalEntries = [];
    private OnnxExternalData? external;
    private bool isExternal;

    public string Name => name;

    public OnnxDtype Dtype => dtype;

    public long[] Shape => shape;

    /// <summary>The number of elements.</summary>
    public long Count { get; } = CountOf(shape);

    /// <summary>Reads a TensorProto; values in other files are left there.</summary>
    /// <exception cref="InvalidDataException">It is not valid.</exception>
    public static OnnxTensor Parse(ReadOnlyMemory<byte> message, OnnxExternalData external)
    {
        List<ProtobufField> fields = [.. ProtobufReader.Fields(message)];
        string name = fields.LastOrDefault(field => field.Number == 8) is { Number: 8 } named ? named.Text : "";
        long[] shape = [.. fields.Where(field => field.Number == 1).SelectMany(field => field.Integers).Take(MaxDimensions + 1)];
        if (shape.Length > MaxDimensions) throw new InvalidDataException($"tensor '{name}' has more than {MaxDimensions} dimensions");
        if (shape.Any(size => size < 0)) throw new InvalidDataException($"tensor '{name}' has a negative dimension");
        var dtype = (OnnxDtype)fields.LastOrDefault(field => field.Number == 2).Integer;
        var tensor = new OnnxTensor(name, dtype, shape) { external = external };
        foreach (ProtobufField field in fields)
        {
            if (field.Number is 4 or 5 or 7 or 9 or 10) tensor.values.Add(field);
            else if (field.Number == 13) tensor.AddExternalEntry(field.Bytes);
            else if (field.Number == 14) tensor.isExternal = field.Integer == 1;
        }
        return tensor;
    }

    /// <summary>A tensor that is made here.</summary>
    public static OnnxTensor Create(OnnxDtype dtype, long[] shape, byte[] bytes)
    {
        var tensor = new OnnxTensor("", dtype, shape);
        tensor.values.Add(new ProtobufField(9, ProtobufWireType.Bytes, 0, bytes));
        return tensor;
    }

    /// <summary>The values in little-endian order.</summary>
    /// <exception cref="InvalidDataException">There are more or fewer than the shape says, or they cannot be had.</exception>
    public ReadOnlyMemory<byte> Bytes()
    {
        long expected = checked(Count * Dtype.Size());
        ReadOnlyMemory<byte> bytes = isExternal ? external!.Read(Name, externalEntries, expected) : InlineBytes(expected);
        return bytes.Length == expected
            ? bytes
            : throw new InvalidDataException($"tensor '{Name}' has {bytes.Length:N0} bytes, but its shape [{string.Join(", ", Shape)}] "
                + $"takes {expected:N0}");
    }

    /// <summary>The values as integers; null where they are not integers.</summary>
    public long[]? Integers() => Dtype switch
    {
        OnnxDtype.Int64 => MemoryMarshal.Cast<byte, long>(Bytes().Span).ToArray(),
        OnnxDtype.Int32 => [.. MemoryMarshal.Cast<byte, int>(Bytes().Span).ToArray()],
        _ => null,
    };

    /// <summary>The value of a tensor with one element; null where there are more, or it is no number.</summary>
    public double? Scalar()
    {
        if (Count != 1) return null;
        ReadOnlySpan<byte> bytes = Bytes().Span;
        return Dtype switch
        {
            OnnxDtype.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            OnnxDtype.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            OnnxDtype.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
            OnnxDtype.BFloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
            OnnxDtype.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            OnnxDtype.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            _ => null,
        };
    }

    /// <summary>A copy for torch, in the dtype of the file; the caller disposes it.</summary>
    public Tensor ToTorch()
    {
        ReadOnlySpan<byte> bytes = Bytes().Span;
        Tensor tensor = empty(Shape, Dtype.ToTorch());
        bytes.CopyTo(tensor.bytes);
        return tensor;
    }

    private static long CountOf(long[] shape)
    {
        long count = 1;
        foreach (long size in shape)
        {
            // More elements than a file has bytes; checked at each step, so that nothing overflows.
            if (size > int.MaxValue
                || count * size > int.MaxValue) throw new InvalidDataException($"a tensor of shape [{string.Join(", ", shape)}] is too "
                + "large");
            count *= size;
        }
        return count;
    }

    private void AddExternalEntry(ReadOnlyMemory<byte> entry)
    {
        List<ProtobufField> fields = [.. ProtobufReader.Fields(entry)];
        externalEntries[fields.LastOrDefault(field => field.Number == 1).Text] = fields.LastOrDefault(field => field.Number == 2).Text;
    }

    // raw_data, or the list that onnx.proto has for the dtype: narrow types stand in int32_data, one a number.
    private ReadOnlyMemory<byte> InlineBytes(long expected)
    {
        if (values.Count == 1 && values[0].Number is 4 or 9 or 10 && values[0].Type == ProtobufWireType.Bytes) return values[0].Bytes;
        var bytes = new List<byte>();
        foreach (ProtobufField field in values)
        {
            if (bytes.Count > expected) break; // the caller refuses it
            if (field.Number is 5 or 7) bytes.AddRange(field.Integers.SelectMany(LittleEndian));
            else bytes.AddRange(field.Bytes.Span);
        }
        return bytes.ToArray();
    }

    private byte[] LittleEndian(long value) => BitConverter.GetBytes(value)[..Dtype.Size()];
}

/// <summary>The dtypes of onnx.proto's TensorProto that a BERT's graph is made of; an integer outside of these is another.</summary>
internal enum OnnxDtype
{
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Float64 = 11,
    BFloat16 = 16,
}

/// <summary>What is known of them.</summary>
internal static class OnnxDtypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this OnnxDtype dtype) => dtype switch
    {
        OnnxDtype.Int64 or OnnxDtype.Float64 => 8,
        OnnxDtype.Float32 or OnnxDtype.Int32 => 4,
        OnnxDtype.Float16 or OnnxDtype.BFloat16 => 2,
        OnnxDtype.UInt8 or OnnxDtype.Int8 or OnnxDtype.Bool => 1,
        _ => throw new InvalidDataException($"its dtype {(int)dtype} is not one of a BERT's"),
    };

    /// <summary>Whether weights can be of it.</summary>
    public static bool IsFloatingPoint(this OnnxDtype dtype) =>
        dtype is OnnxDtype.Float32 or OnnxDtype.Float16 or OnnxDtype.BFloat16 or OnnxDtype.Float64;

    /// <summary>torch's dtype.</summary>
    public static ScalarType ToTorch(this OnnxDtype dtype) => dtype switch
    {
        OnnxDtype.Float32 => float32,
        OnnxDtype.UInt8 => uint8,
        OnnxDtype.Int8 => int8,
        OnnxDtype.Int32 => int32,
        OnnxDtype.Int64 => int64,
        OnnxDtype.Bool => @bool,
        OnnxDtype.Float16 => float16,
        OnnxDtype.Float64 => float64,
        OnnxDtype.BFloat16 => bfloat16,
        _ => throw new InvalidDataException($"its dtype {(int)dtype} is not one of a BERT's"),
    };
}
