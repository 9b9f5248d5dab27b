using System.Text;
using CsCheck;
using CsvHelper;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Tests;

/// <summary>Where records end is our scanner's word, what their fields are is CsvHelper's: they must speak of the same records.</summary>
public sealed class CsvAgreementTests
{
    private static readonly string[] Parts = ["\"", "\"\"", ",", "\t", "\n", "\r\n", "\r", "a", "b", " ", "é"];

    [Fact]
    public void Scanner_and_CsvHelper_find_the_same_records_in_anything() =>
        Gen.Int[0, Parts.Length - 1].Select(part => Parts[part]).List[0, 30].Sample(
            parts => Assert.Equal(RecordsByCsvHelper(string.Concat(parts)), RecordsByScanner(string.Concat(parts))),
            iter: 50_000);

    private static List<string> RecordsByScanner(string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        var scanner = new RecordScanner(RecordGrammar.Of(ReviewFormat.Csv, dialect: null), 0);
        var records = new List<string>();
        ReadOnlySpan<byte> rest = bytes;
        while (scanner.TryRead(ref rest, out RecordRange record)) Add(record);
        if (scanner.TryFinish(out RecordRange last)) Add(last);
        return records;

        void Add(RecordRange range) => records.Add(Encoding.UTF8.GetString(bytes.AsSpan((int)range.Start, (int)range.Length)));
    }

    // But for blank lines, of which CsvHelper skips only those without a blank.
    private static List<string> RecordsByCsvHelper(string content)
    {
        using CsvReader reader =
            CsvReader.Create(Encoding.UTF8.GetBytes(content), new CsvReaderOptions { Separator = ',', HasHeader = false });
        var records = new List<string>();
        while (reader.Read())
        {
            string record = Encoding.UTF8.GetString(reader.RawRecord);
            if (record.AsSpan().Trim(" \t").Length > 0) records.Add(record);
        }
        return records;
    }
}
