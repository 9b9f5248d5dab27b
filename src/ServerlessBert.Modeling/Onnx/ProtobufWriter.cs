using System.Buffers.Binary;
using System.Text;

namespace ServerlessBert.Modeling.Onnx;

/// <summary>A protocol buffer message, written field by field; long values are referred to, not copied, until the message goes to a
/// stream.</summary>
internal sealed class ProtobufWriter
{
    private readonly List<ReadOnlyMemory<byte>> parts = [];

    /// <summary>The message's length in bytes.</summary>
    public long Length { get; private set; }

    public ProtobufWriter Integer(int field, long value) => Tag(field, ProtobufWireType.Varint).Varint(unchecked((ulong)value));

    public ProtobufWriter Float(int field, float value)
    {
        byte[] bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return Tag(field, ProtobufWireType.Fixed32).Append(bytes);
    }

    public ProtobufWriter Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Writes bytes, which must not change until the message is written.</summary>
    public ProtobufWriter Bytes(int field, ReadOnlyMemory<byte> value) =>
        Tag(field, ProtobufWireType.Bytes).Varint((ulong)value.Length).Append(value);

    /// <summary>Writes a message within this one, as it is now.</summary>
    public ProtobufWriter Message(int field, ProtobufWriter value)
    {
        Tag(field, ProtobufWireType.Bytes).Varint((ulong)value.Length);
        parts.AddRange(value.parts);
        Length += value.Length;
        return this;
    }

    /// <summary>Writes the message to a stream.</summary>
    public void CopyTo(Stream stream)
    {
        foreach (ReadOnlyMemory<byte> part in parts) stream.Write(part.Span);
    }

    private ProtobufWriter Tag(int field, ProtobufWireType type) => Varint((ulong)field << 3 | (uint)type);

    private ProtobufWriter Varint(ulong value)
    {
        var bytes = new List<byte>(2);
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return Append(bytes.ToArray());
    }

    private ProtobufWriter Append(ReadOnlyMemory<byte> bytes)
    {
        parts.Add(bytes);
        Length += bytes.Length;
        return this;
    }
}
