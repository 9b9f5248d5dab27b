using System.Buffers.Binary;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>
/// Looks over a Parquet file's footer before the library reads it, which never comes back from one that is cut short or
/// has a field of another type than it expects. The footer is a FileMetaData in Thrift's compact protocol
/// (apache/parquet-format, parquet.thrift; apache/thrift, doc/specs/thrift-compact-protocol.md).
/// </summary>
internal static class ParquetFooter
{
    private const int TrailerBytes = 8; // the footer's length, then PAR1
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Reads and checks the footer.</summary>
    /// <exception cref="InvalidDataException">It is none, or damaged.</exception>
    public static async Task CheckAsync(Stream content, CancellationToken cancellationToken)
    {
        byte[] trailer = await ReadAsync(content, content.Length - TrailerBytes, TrailerBytes, cancellationToken).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadInt32LittleEndian(trailer);
        if (!trailer.AsSpan(4).SequenceEqual("PAR1"u8)) throw new InvalidDataException("it does not end with PAR1");
        if (length > MaxBytes) throw new InvalidDataException("its footer is too large");
        byte[] footer = await ReadAsync(content, content.Length - TrailerBytes - length, length, cancellationToken).ConfigureAwait(false);
        content.Position = 0;
        var rest = new Thrift(footer);
        if (!rest.TrySkip(FileMetaData, depth: 0) || !rest.IsAtEnd) throw new InvalidDataException("its footer is damaged");
    }

    private static async Task<byte[]> ReadAsync(Stream content, long position, int length, CancellationToken cancellationToken)
    {
        if (position < 0 || length < 0) throw new InvalidDataException("it is too short");
        byte[] bytes = new byte[length];
        content.Position = position;
        await content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    // The types of parquet.thrift's structs, by field number from 1. What is not listed may be anything that is whole.
    private static readonly Kind Flag = new(Wire.True), Number = new(Wire.I32), Long = new(Wire.I64), Short = new(Wire.I16), Binary = new(Wire.Binary), AnyStruct = new(Wire.Struct);
    private static readonly Kind KeyValue = Struct(Binary, Binary);
    private static readonly Kind Statistics = Struct(Binary, Binary, Long, Long, Binary, Binary, Flag, Flag);
    private static readonly Kind LogicalType = Struct([.. Enumerable.Repeat(AnyStruct, 18)]);
    private static readonly Kind SchemaElement = Struct(Number, Number, Number, Binary, Number, Number, Number, Number, Number, LogicalType);
    private static readonly Kind EncodingStats = Struct(Number, Number, Number);
    private static readonly Kind SizeStatistics = Struct(Long, List(Long), List(Long));
    private static readonly Kind ColumnMetaData = Struct(
        Number, List(Number), List(Binary), Number, Long, Long, Long, List(KeyValue), Long, Long, Long, Statistics, List(EncodingStats), Long, Number, SizeStatistics, AnyStruct);
    private static readonly Kind ColumnChunk = Struct(Binary, Long, ColumnMetaData, Long, Number, Long, Number, AnyStruct, Binary);
    private static readonly Kind RowGroup = Struct(List(ColumnChunk), Long, Long, List(AnyStruct), Long, Long, Short);
    private static readonly Kind FileMetaData = Struct(Number, List(SchemaElement), Long, List(RowGroup), List(KeyValue), Binary, List(LogicalType), AnyStruct, Binary);

    private static Kind Struct(params Kind[] fields) => new(Wire.Struct, fields);

    private static Kind List(Kind item) => new(Wire.List, [item]);

    private enum Wire : byte
    {
        Stop,
        True,
        False,
        Byte,
        I16,
        I32,
        I64,
        Double,
        Binary,
        List,
        Set,
        Map,
        Struct,
    }

    /// <summary>A type, with a struct's fields or a list's item.</summary>
    private sealed record Kind(Wire Wire, IReadOnlyList<Kind>? Parts = null)
    {
        public Kind? Part(int index) => index >= 0 && index < Parts?.Count ? Parts[index] : null;

        public bool Takes(Wire wire) => Wire == wire || (Wire == Wire.True && wire == Wire.False);
    }

    private struct Thrift(byte[] bytes)
    {
        private const int MaxDepth = 16;
        private int _at;

        public readonly bool IsAtEnd => _at == bytes.Length;

        public bool TrySkip(Kind? kind, int depth)
        {
            int field = 0;
            while (TryByte(out byte header))
            {
                if (header == 0) return true;
                if (header >> 4 == 0)
                {
                    if (!TryVarint(out ulong number)) return false;
                    field = (int)((long)(number >> 1) ^ -(long)(number & 1));
                }
                else field += header >> 4;
                var wire = (Wire)(header & 15);
                Kind? expected = kind?.Part(field - 1);
                if (expected?.Takes(wire) == false) return false;
                // A field's truth is in its header.
                if (wire is not (Wire.True or Wire.False) && !TrySkip(wire, expected, depth)) return false;
            }
            return false;
        }

        private bool TrySkip(Wire wire, Kind? kind, int depth) => depth < MaxDepth && wire switch
        {
            Wire.True or Wire.False or Wire.Byte => TryTake(1),
            Wire.I16 or Wire.I32 or Wire.I64 => TryVarint(out _),
            Wire.Double => TryTake(8),
            Wire.Binary => TryVarint(out ulong length) && length <= int.MaxValue && TryTake((int)length),
            Wire.List or Wire.Set => TrySkipList(kind?.Part(0), depth + 1),
            Wire.Map => TrySkipMap(depth + 1),
            Wire.Struct => TrySkip(kind, depth + 1),
            _ => false,
        };

        private bool TrySkipList(Kind? item, int depth)
        {
            if (!TryByte(out byte header)) return false;
            ulong count = (uint)(header >> 4);
            if (count == 15 && !TryVarint(out count)) return false;
            var wire = (Wire)(header & 15);
            if (count > 0 && item?.Takes(wire) == false) return false;
            // Every item takes a byte at least, so a false count ends soon.
            for (ulong index = 0; index < count; index++)
                if (!TrySkip(wire, item, depth)) return false;
            return true;
        }

        private bool TrySkipMap(int depth)
        {
            if (!TryVarint(out ulong count)) return false;
            if (count == 0) return true;
            if (!TryByte(out byte types)) return false;
            for (ulong index = 0; index < count; index++)
                if (!TrySkip((Wire)(types >> 4), null, depth) || !TrySkip((Wire)(types & 15), null, depth)) return false;
            return true;
        }

        private bool TryVarint(out ulong value)
        {
            value = 0;
            for (int shift = 0; shift < 64; shift += 7)
            {
                if (!TryByte(out byte part)) return false;
                value |= (ulong)(part & 127) << shift;
                if (part < 128) return true;
            }
            return false;
        }

        private bool TryByte(out byte value)
        {
            value = 0;
            if (_at == bytes.Length) return false;
            value = bytes[_at++];
            return true;
        }

        private bool TryTake(int count)
        {
            if (count > bytes.Length - _at) return false;
            _at += count;
            return true;
        }
    }
}
