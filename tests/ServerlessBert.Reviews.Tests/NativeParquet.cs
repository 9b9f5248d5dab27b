using System.Buffers.Binary;
using ParquetSharp;
using Encoding = ParquetSharp.Encoding;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Parquet files as Arrow's own writer writes them, and damaged ones.</summary>
internal static class NativeParquet
{
    private static readonly byte[] Telling = [0, 0x15, 0x19, 0x1c, 0x7f, 0x80, 0xff];

    /// <summary>A file of one row group.</summary>
    public static byte[] Write(
        Column[] columns, Compression compression, Action<RowGroupWriter> write, Encoding? textEncoding = null, bool isVersion2 = false)
    {
        using var file = new MemoryStream();
        using WriterPropertiesBuilder builder = new WriterPropertiesBuilder().Compression(compression).DataPagesize(1024);
        if (isVersion2) builder.DataPageVersion(ParquetDataPageVersion.V2);
        if (textEncoding is { } encoding) builder.DisableDictionary("text").Encoding("text", encoding);
        using WriterProperties properties = builder.Build();
        using (var writer = new ParquetFileWriter(file, columns, null, properties, leaveOpen: true))
        {
            using (RowGroupWriter group = writer.AppendRowGroup()) write(group);
            writer.Close();
        }
        return file.ToArray();
    }

    /// <summary>Writes the next column.</summary>
    public static void Write<T>(this RowGroupWriter group, T[] values)
    {
        using LogicalColumnWriter<T> column = group.NextColumn().LogicalWriter<T>();
        column.WriteBatch(values);
    }

    /// <summary>Small files of many encodings and compressions.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        Seed(Compression.Uncompressed), Seed(Compression.Snappy), Seed(Compression.Gzip), Seed(Compression.Brotli),
            Seed(Compression.Zstd), Seed(Compression.Lz4), Seed(Compression.Lz4Hadoop),
        Seed(Compression.Uncompressed, Encoding.Plain), Seed(Compression.Uncompressed, Encoding.DeltaByteArray, true),
            Seed(Compression.Zstd, Encoding.DeltaLengthByteArray, true),
    ];

    /// <summary>A schema alone, of a text so many groups deep.</summary>
    public static byte[] NestedSchema(int levels)
    {
        // FileMetaData in Thrift's compact protocol: version 1, the schema's elements, 0 rows, no row groups.
        byte[] group = [0x35, 0x00, 0x18, 0x01, (byte)'a', 0x15, 0x02, 0x00],
            text = [0x15, 0x0c, 0x25, 0x00, 0x18, 0x04, .. "text"u8, 0x00];
        byte[] footer = [
            0x15, 0x02, 0x19, 0xfc, .. Varint(levels + 1), .. Enumerable.Repeat(group, levels).SelectMany(bytes => bytes), .. text, 0x16,
            0x00, 0x19, 0x0c, 0x00];
        return [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8];
    }

    /// <summary>A file with some of its bytes changed; the footer's length stays true, so that what lies behind it is read.</summary>
    public static byte[] Mutate(byte[] seed, Random random)
    {
        List<byte> bytes = [.. seed];
        int footer = BinaryPrimitives.ReadInt32LittleEndian(seed.AsSpan(seed.Length - 8));
        for (int mutation = random.Next(4); mutation >= 0 && bytes.Count > 16; mutation--)
        {
            bool isFooter = random.Next(2) == 0 && footer > 0 && footer < bytes.Count - 8;
            int before = bytes.Count;
            int at = isFooter ? bytes.Count - 8 - footer + random.Next(footer) : random.Next(bytes.Count - 8);
            int length = Math.Min(random.Next(1, 40), bytes.Count - 8 - at);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = Telling[random.Next(Telling.Length)]; break;
                case 3: bytes.Insert(at, Telling[random.Next(Telling.Length)]); break;
                case 4: bytes.RemoveRange(at, Math.Min(length, 6)); break;
                case 5: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                default:
                    for (int index = 0; index < Math.Min(length, 5); index++) bytes[at + index] =
                    (byte)(index < 4 ? 0xff : 0x0f); break;
            }
            if (!isFooter || bytes.Count == before) continue;
            footer += bytes.Count - before;
            byte[] trailer = BitConverter.GetBytes(footer);
            for (int index = 0; index < trailer.Length; index++) bytes[bytes.Count - 8 + index] = trailer[index];
        }
        return [.. bytes];
    }

    private static byte[] Seed(Compression compression, Encoding? textEncoding = null, bool isVersion2 = false)
    {
        Column[] columns =
            [new Column<string?>("text"), new Column<double?>("stars"), new Column<long>("id"), new Column<string[]>("tags"), new Column<Half>("score")];
        return Write(columns, compression, group =>
        {
            group.Write(["a good one", null, "schön 😀", "", "a good one"]);
            group.Write<double?>([5, null, double.NaN, 1, 9]);
            group.Write([1L, 2, 3, 4, long.MaxValue]);
            group.Write<string[]>([["a"], [], ["b", "c"], [], []]);
            group.Write<Half>([(Half)0.5, (Half)1, Half.NaN, (Half)0, (Half)2]);
        }, textEncoding, isVersion2);
    }

    private static byte[] Varint(int value)
    {
        List<byte> bytes = [];
        for (; value > 127; value >>= 7) bytes.Add((byte)(value | 128));
        return [.. bytes, (byte)value];
    }
}
