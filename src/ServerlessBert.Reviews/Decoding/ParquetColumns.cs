using System.Globalization;
using System.Text.Json;
using ParquetSharp;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>Which of a Parquet file's columns are the review's, by the same names as in the other forms.</summary>
internal sealed class ParquetColumns
{
    private readonly IReadOnlyList<Column> _columns;

    private ParquetColumns(IReadOnlyList<Column> columns) => _columns = columns;

    /// <summary>
    /// The text's column, and those of id and rating where there are any; a nested field by its path, <c>review.body</c>.
    /// Columns of other names are not looked at, whatever they hold.
    /// </summary>
    /// <exception cref="ReviewFileException"><c>no_text_column</c> or <c>too_many_rows</c>.</exception>
    /// <exception cref="InvalidDataException">The row groups have more or fewer rows than the file.</exception>
    public static ParquetColumns Find(ParquetFileReader reader, ReviewOptions options)
    {
        FileMetaData file = reader.FileMetaData;
        if (file.NumRows > options.MaxRows) throw ReviewContent.TooManyRows(options);
        RequireRows(reader, file);
        var names = new List<(int Index, string Path)>();
        for (int index = 0; index < file.Schema.NumColumns; index++)
        {
            ColumnDescriptor column = file.Schema.Column(index);
            if (column.MaxRepetitionLevel > 0) continue; // a list's items are no column of rows
            using ParquetSharp.Schema.ColumnPath path = column.Path;
            names.Add((index, path.ToDotString()));
        }
        Column text = Of(options.TextFields, column => column.IsText) ?? throw NoTextColumn(names, options);
        Column? label = Of(options.LabelFields, _ => true), stars = Of(options.StarsFields, _ => true),
            id = Of(options.IdFields, _ => true);
        if (label is not null && stars is not null && FieldNames.IsScore(stars.Path)) stars = null;
        return new ParquetColumns([.. new[] { text, id, stars, label }.OfType<Column>()]);

        Column? Of(IReadOnlyList<string> accepted, Func<ParquetCells.Kind, bool> suits) =>
        (
            from found in names
            let rank = FieldNames.RankOf(accepted, found.Path)
            where rank is not null
            orderby rank
            let kind = ParquetCells.KindOf(file.Schema.Column(found.Index), options.MaxRecordBytes)
            where kind is not null && suits(kind)
            select new Column(found.Index, found.Path, kind)
        ).FirstOrDefault();
    }

    /// <summary>Refuses a row group whose pages may be larger than what should be in memory at once.</summary>
    /// <exception cref="ReviewFileException"><c>row_group_too_large</c>.</exception>
    public void RequireRoom(RowGroupReader group, int index, ReviewOptions options)
    {
        long bytes = 0;
        foreach (Column column in _columns)
        {
            using ColumnChunkMetaData chunk = group.MetaData.GetColumnChunkMetaData(column.Index);
            bytes += Math.Max(chunk.TotalUncompressedSize, chunk.TotalCompressedSize);
        }
        if (bytes > options.MaxRowGroupBytes)
            throw new ReviewFileException("row_group_too_large", string.Create(CultureInfo.InvariantCulture,
                $"The file's row group {index} takes {bytes:N0} bytes in memory, over the limit of {options.MaxRowGroupBytes:N0}; ")
                + "write the file with smaller row groups or raise MaxRowGroupBytes.");
    }

    /// <summary>Opens the columns of a row group; those before one that fails are among the opened too.</summary>
    public void Open(RowGroupReader group, ICollection<ParquetCells> opened)
    {
        foreach (Column column in _columns) opened.Add(column.Kind.Open(group.Column(column.Index), column.Name));
    }

    private static void RequireRows(ParquetFileReader reader, FileMetaData file)
    {
        long rows = 0;
        for (int index = 0; index < file.NumRowGroups; index++)
        {
            using RowGroupReader group = reader.RowGroup(index);
            rows += group.MetaData.NumRows;
        }
        if (rows != file.NumRows) throw new InvalidDataException($"its row groups have {rows} of {file.NumRows} rows");
    }

    private static ReviewFileException NoTextColumn(List<(int Index, string Path)> columns, ReviewOptions options)
    {
        const int shown = 20;
        string found = string.Join(", ", columns.Take(shown).Select(column => RowErrors.Shown(column.Path)));
        string more = columns.Count > shown ? $" and {columns.Count - shown} more" : "";
        return new ReviewFileException("no_text_column",
            $"The file has the columns {found}{more}, none of which is the text; name one of strings {RowErrors.Or(options.TextFields)}.");
    }

    private sealed record Column(int Index, string Path, ParquetCells.Kind Kind)
    {
        public JsonEncodedText Name { get; } = JsonEncodedText.Encode(Path);
    }
}
