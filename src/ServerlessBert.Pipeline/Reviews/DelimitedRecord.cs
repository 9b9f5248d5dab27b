using System.Text;
using System.Text.Unicode;
using CsvHelper;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>The fields of one delimited record, by CsvHelper.</summary>
/// <remarks>A record at a time: where records end is <see cref="RecordScanner"/>'s word alone, so that splitter and reader count the same rows.</remarks>
internal static class DelimitedRecord
{
    private static readonly CsvReaderOptions Comma = new() { Separator = ',', HasHeader = false, SkipEmptyLines = false };
    private static readonly CsvReaderOptions Tab = Comma with { Separator = '\t' };

    /// <summary>The fields, without their quotes, of a record; and how many malformed UTF-8 sequences became U+FFFD.</summary>
    public static string[] Split(ReadOnlyMemory<byte> record, char delimiter, out int invalid)
    {
        invalid = 0;
        // Never given malformed bytes: FF FE would be a UTF-16 mark to the library.
        if (!Utf8.IsValid(record.Span)) record = Encoding.UTF8.GetBytes(Utf8Text.Decode(record.Span, out invalid));
        using CsvReader reader = CsvReader.Create(record, delimiter == '\t' ? Tab : Comma);
        return reader.Read() ? reader.Current.ToArray() : [];
    }
}
