using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using ParquetSharp;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>The cells of one column of one row group, a row at a time.</summary>
internal abstract class ParquetCells : IDisposable
{
    private const int RowsAtOnce = 1024;

    /// <summary>Writes the next row's cell as a property; nothing where it is null.</summary>
    /// <exception cref="InvalidDataException">The column has fewer cells than its row group has rows.</exception>
    public abstract void WriteNext(Utf8JsonWriter json);

    public abstract void Dispose();

    /// <summary>
    /// How a column's values are written; null where they are neither a text nor a number nor an id, as dates and switches.
    /// </summary>
    /// <param name="column">The column.</param>
    /// <param name="maxBytes">The longest text that is a row; of a longer one no more is written than tells so.</param>
    public static Kind? KindOf(ColumnDescriptor column, int maxBytes)
    {
        using LogicalType logical = column.LogicalType;
        int scale = logical is DecimalLogicalType ? column.TypeScale : 0;
        bool isUnsigned = logical is IntLogicalType { IsSigned: false };
        return (column.PhysicalType, logical.Type) switch
        {
            // Writers that know no strings write byte arrays without a logical type.
            (PhysicalType.ByteArray, LogicalTypeEnum.String or LogicalTypeEnum.Enum or LogicalTypeEnum.Json or LogicalTypeEnum.None) =>
                new Kind<ByteArray>((json, name, value) => json.WriteString(name, Start(value, maxBytes)), IsText: true),
            (PhysicalType.Int32, LogicalTypeEnum.Int or LogicalTypeEnum.None) => Number<int>(value => isUnsigned ? (uint)value : value),
            (PhysicalType.Int64, LogicalTypeEnum.Int or LogicalTypeEnum.None) when isUnsigned => Number<long>(value => (ulong)value),
            (PhysicalType.Int64, LogicalTypeEnum.Int or LogicalTypeEnum.None) => Number<long>(value => value),
            (PhysicalType.Float, _) => Number<float>(value => value),
            (PhysicalType.Double, _) => Number<double>(value => value),
            (PhysicalType.FixedLenByteArray, LogicalTypeEnum.Float16) => Fixed(sizeof(short), BinaryPrimitives.ReadHalfLittleEndian),
            (PhysicalType.Int32, LogicalTypeEnum.Decimal) => Text<int>(value => Decimal(value, scale)),
            (PhysicalType.Int64, LogicalTypeEnum.Decimal) => Text<long>(value => Decimal(value, scale)),
            (PhysicalType.ByteArray, LogicalTypeEnum.Decimal) => Text<ByteArray>(value => Decimal(Signed(Bytes(value)), scale)),
            (PhysicalType.FixedLenByteArray, LogicalTypeEnum.Decimal) =>
                Text<FixedLenByteArray>(value => Decimal(Signed(Bytes(value, column.TypeLength)), scale)),
            (PhysicalType.FixedLenByteArray, LogicalTypeEnum.Uuid) =>
                Text<FixedLenByteArray>(value => new Guid(Bytes(value, 16), bigEndian: true).ToString()),
            _ => null,
        };
    }

    private static Kind<T> Number<T>(Func<T, IFormattable> number) where T : unmanaged =>
        Text<T>(value => number(value).ToString(null, CultureInfo.InvariantCulture));

    private static Kind<FixedLenByteArray> Fixed<TNumber>(int length, FromBytes<TNumber> number) where TNumber : IFormattable =>
        Number<FixedLenByteArray>(value => number(Bytes(value, length)));

    private static Kind<T> Text<T>(Func<T, string> text)
        where T : unmanaged => new((json, name, value) => json.WriteString(name, text(value)));

    private static ReadOnlySpan<byte> Start(ByteArray value, int maxBytes) =>
        Bytes(value) is var bytes && bytes.Length > maxBytes ? bytes[..(maxBytes + 1)] : bytes;

    private static unsafe ReadOnlySpan<byte> Bytes(ByteArray value) => new((void*)value.Pointer, value.Length);

    private static unsafe ReadOnlySpan<byte> Bytes(FixedLenByteArray value, int length) => new((void*)value.Pointer, length);

    private static BigInteger Signed(ReadOnlySpan<byte> bytes) => new(bytes, isBigEndian: true);

    private static string Decimal(BigInteger unscaled, int scale)
    {
        string digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        string sign = unscaled.Sign < 0 ? "-" : "";
        return scale == 0 ? sign + digits : $"{sign}{digits[..^scale]}.{digits[^scale..]}";
    }

    private delegate TNumber FromBytes<TNumber>(ReadOnlySpan<byte> bytes);

    private delegate void WriteCell<T>(Utf8JsonWriter json, JsonEncodedText name, T value);

    /// <summary>What a column's values are, of any row group.</summary>
    /// <param name="IsText">Whether they are texts.</param>
    public abstract record Kind(bool IsText)
    {
        /// <summary>Begins to read a column's cells, and owns the reader.</summary>
        public abstract ParquetCells Open(ColumnReader reader, JsonEncodedText name);
    }

    private sealed record Kind<T>(WriteCell<T> Write, bool IsText = false) : Kind(IsText) where T : unmanaged
    {
        public override ParquetCells Open(ColumnReader reader, JsonEncodedText name) => new Cells<T>(reader, name, Write);
    }

    // A value may point into the reader's page, which is good until it is asked for the next rows: so values are written before.
    private sealed class Cells<T>(ColumnReader reader, JsonEncodedText name, WriteCell<T> write) : ParquetCells where T : unmanaged
    {
        private readonly short[] _levels = new short[RowsAtOnce];
        private readonly T[] _values = new T[RowsAtOnce];
        private short _present;
        private int _row;
        private int _rows;
        private int _value;
        private long _count;

        public override void WriteNext(Utf8JsonWriter json)
        {
            if (_row == _rows) Read();
            if (_levels[_row++] != _present) return;
            if (_value == _count) throw new InvalidDataException($"column {name} has fewer values than it says");
            write(json, name, _values[_value++]);
        }

        public override void Dispose() => reader.Dispose();

        // A required column has no levels; its rows keep the level 0, which is then the present one.
        private void Read()
        {
            _present = reader.ColumnDescriptor.MaxDefinitionLevel;
            _rows = (int)((ColumnReader<T>)reader).ReadBatch(RowsAtOnce, _levels, [], _values, out _count);
            (_row, _value) = (0, 0);
            if (_rows == 0) throw new InvalidDataException($"column {name} has fewer values than there are rows");
        }
    }
}
