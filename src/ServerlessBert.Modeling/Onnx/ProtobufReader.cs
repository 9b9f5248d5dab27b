using System.Buffers.Binary;
using System.Text;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>
/// Reads protocol buffers' wire format field by field, without a schema and without copying: a length is believed only
/// where so many bytes follow. Format: https://protobuf.dev/programming-guides/encoding
/// </summary>
internal static class ProtobufReader
{
    private const int MaxVarintBytes = 10;

    /// <summary>The fields of a message, in the order of its bytes.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a message; thrown when the fault is reached.</exception>
    public static IEnumerable<ProtobufField> Fields(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message.Span, ref at);
            if (tag >> 3 is 0 or > int.MaxValue >> 3) throw new InvalidDataException($"the field number {tag >> 3} is not valid");
            yield return Field((int)(tag >> 3), (ProtobufWireType)(tag & 7), message, ref at);
        }
    }

    /// <summary>A packed list of variable-length integers.</summary>
    /// <exception cref="InvalidDataException">The last number is cut off.</exception>
    public static IEnumerable<ulong> Varints(ReadOnlyMemory<byte> packed)
    {
        int at = 0;
        while (at < packed.Length) yield return Varint(packed.Span, ref at);
    }

    private static ProtobufField Field(int number, ProtobufWireType type, ReadOnlyMemory<byte> message, ref int at)
    {
        switch (type)
        {
            case ProtobufWireType.Varint:
                return new ProtobufField(number, type, Varint(message.Span, ref at), default);
            case ProtobufWireType.Fixed64:
                return new ProtobufField(number, type, 0, Take(message, sizeof(ulong), ref at));
            case ProtobufWireType.Fixed32:
                return new ProtobufField(number, type, 0, Take(message, sizeof(uint), ref at));
            case ProtobufWireType.Bytes:
                ulong length = Varint(message.Span, ref at);
                return new ProtobufField(number, type, 0, Take(message, length, ref at));
            default:
                throw new InvalidDataException($"field {number} has the unknown wire type {(int)type}");
        }
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> message, ulong length, ref int at)
    {
        if (length > (ulong)(message.Length - at))
            throw new InvalidDataException($"a field claims {length:N0} bytes, but only {message.Length - at:N0} follow");
        ReadOnlyMemory<byte> taken = message.Slice(at, (int)length);
        at += (int)length;
        return taken;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int index = 0; index < MaxVarintBytes; index++)
        {
            if (at == bytes.Length) throw new InvalidDataException("it ends within a number");
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << (7 * index);
            if (next < 0x80) return value;
        }
        throw new InvalidDataException($"a number is longer than {MaxVarintBytes} bytes");
    }
}

/// <summary>How a field's value is laid out.</summary>
internal enum ProtobufWireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>One field of a message.</summary>
/// <param name="Number">Its number in the schema.</param>
/// <param name="Type">How its value is laid out.</param>
/// <param name="Value">The value of a variable-length integer.</param>
/// <param name="Bytes">The value of every other type.</param>
internal readonly record struct ProtobufField(int Number, ProtobufWireType Type, ulong Value, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The value as an integer; 0 for a field of another type, as a decoder that skips it would have.</summary>
    public long Integer => unchecked((long)Value);

    /// <summary>The value as UTF-8 text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>The value as a float32.</summary>
    public float Float => Type == ProtobufWireType.Fixed32 ? BinaryPrimitives.ReadSingleLittleEndian(Bytes.Span) : 0;

    /// <summary>The integers of a repeated field: one, or a packed list.</summary>
    public IEnumerable<long> Integers => Type == ProtobufWireType.Bytes
        ? ProtobufReader.Varints(Bytes).Select(value => unchecked((long)value))
        : [Integer];
}
