using System.Buffers.Binary;
using System.Text;

namespace ServerlessBert.Modeling.Tests.Checkpoints;

/// <summary>Safetensors files made by hand, right and wrong.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A length, a header, and that many bytes of data (1, 2, 3, …).</summary>
    public static byte[] Of(string header, int dataLength) => Of(Encoding.UTF8.GetBytes(header), dataLength);

    public static byte[] Of(byte[] header, int dataLength)
    {
        byte[] file = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        for (int at = 0; at < dataLength; at++) file[8 + header.Length + at] = (byte)(at + 1);
        return file;
    }
}
