using System.Globalization;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>One column of one row group.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Cells">A text for each row, or null.</param>
internal sealed record ParquetColumn(string Name, string?[] Cells);

/// <summary>Which of a Parquet file's columns are the review's, by the same names as in the other forms.</summary>
internal sealed class ParquetColumns
{
    private readonly IReadOnlyList<DataField> _fields;

    private ParquetColumns(IReadOnlyList<DataField> fields) => _fields = fields;

    /// <summary>The text's column, and those of id and rating where there are any. Lists and nested fields are no columns.</summary>
    /// <exception cref="ReviewFileException"><c>no_text_column</c> or <c>too_many_rows</c>.</exception>
    public static ParquetColumns Of(ParquetReader reader, ReviewOptions options)
    {
        if (reader.Metadata?.NumRows > options.MaxRows) throw ReviewContent.TooManyRows(options);
        long rows = reader.RowGroups.Sum(group => group.RowCount);
        if (rows != reader.Metadata?.NumRows) throw new InvalidDataException($"its row groups have {rows} of {reader.Metadata?.NumRows} rows");
        DataField[] columns = [.. reader.Schema.Fields.OfType<DataField>().Where(field => !field.IsArray && field.MaxRepetitionLevel == 0)];
        DataField text = Find(columns.Where(IsText), options.TextFields) ?? throw NoTextColumn(columns, options);
        DataField?[] others = [Find(columns, options.IdFields), Find(columns, options.StarsFields), Find(columns, options.LabelFields)];
        return new([text, .. others.OfType<DataField>()]);
    }

    /// <summary>Refuses a row group that should not be in memory at once.</summary>
    /// <exception cref="ReviewFileException"><c>row_group_too_large</c>.</exception>
    public void RequireRoom(ParquetRowGroupReader group, int index, ReviewOptions options)
    {
        // A row of a column of one value takes no bytes in the file, and a reference here.
        long bytes = _fields.Sum(field => (group.GetMetadata(field)?.MetaData?.TotalUncompressedSize ?? 0) + (group.RowCount * IntPtr.Size));
        if (bytes > options.MaxRowGroupBytes)
            throw new ReviewFileException("row_group_too_large", string.Create(CultureInfo.InvariantCulture, $"The file's row group {index} takes {bytes:N0} bytes in memory, over the limit of {options.MaxRowGroupBytes:N0}; write the file with smaller row groups or raise MaxRowGroupBytes."));
    }

    /// <summary>The columns of a row group, decoded.</summary>
    public async Task<IReadOnlyList<ParquetColumn>> ReadAsync(ParquetRowGroupReader group, CancellationToken cancellationToken)
    {
        var columns = new List<ParquetColumn>();
        foreach (DataField field in _fields)
        {
            string?[] cells = await CellsAsync(group, field, cancellationToken).ConfigureAwait(false);
            if (cells.Length != group.RowCount) throw new InvalidDataException($"column {field.Name} has {cells.Length} of {group.RowCount} values");
            columns.Add(new ParquetColumn(field.Name, cells));
        }
        return columns;
    }

    private static async Task<string?[]> CellsAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellationToken)
    {
        string?[] cells = new string?[checked((int)group.RowCount)];
        if (IsText(field))
        {
            await group.ReadAsync(field, cells.AsMemory()!, cancellationToken: cancellationToken).ConfigureAwait(false);
            return cells;
        }
        using RawColumnData raw = await group.ReadRawColumnDataBaseAsync(field, cancellationToken).ConfigureAwait(false);
        return raw switch
        {
            RawColumnData<sbyte> numbers => Cells(numbers, field),
            RawColumnData<byte> numbers => Cells(numbers, field),
            RawColumnData<short> numbers => Cells(numbers, field),
            RawColumnData<ushort> numbers => Cells(numbers, field),
            RawColumnData<int> numbers => Cells(numbers, field),
            RawColumnData<uint> numbers => Cells(numbers, field),
            RawColumnData<long> numbers => Cells(numbers, field),
            RawColumnData<ulong> numbers => Cells(numbers, field),
            RawColumnData<float> numbers => Cells(numbers, field),
            RawColumnData<double> numbers => Cells(numbers, field),
            RawColumnData<decimal> numbers => Cells(numbers, field),
            RawColumnData<Guid> ids => Cells(ids, field),
            _ => cells, // a date or a switch is neither an id nor a rating
        };
    }

    private static string?[] Cells<T>(RawColumnData<T> column, DataField field)
        where T : struct, IFormattable
    {
        T?[] values = field.IsNullable ? [.. column.NullableValues] : [.. column.Values.ToArray().Select(value => (T?)value)];
        return [.. values.Select(value => value?.ToString(null, CultureInfo.InvariantCulture))];
    }

    private static bool IsText(DataField field) => field.ClrType == typeof(ReadOnlyMemory<char>) || field.ClrType == typeof(string);

    private static DataField? Find(IEnumerable<DataField> columns, IReadOnlyList<string> accepted) =>
        accepted.Select(name => columns.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(found => found is not null);

    private static ReviewFileException NoTextColumn(DataField[] columns, ReviewOptions options)
    {
        const int shown = 20;
        string found = string.Join(", ", columns.Take(shown).Select(column => RowErrors.Shown(column.Name)));
        string more = columns.Length > shown ? $" and {columns.Length - shown} more" : "";
        return new("no_text_column", $"The file has the columns {found}{more}, none of which is the text; name one of strings {RowErrors.Or(options.TextFields)}.");
    }
}
