using Parquet;
using Parquet.Schema;

namespace ServerlessBert.Testing;

/// <summary>Parquet files as Hugging Face publishes datasets: a label of 64 bits and a text.</summary>
public static class ParquetFiles
{
    /// <summary>Writes rows; a text or a label may be absent.</summary>
    public static async Task<byte[]> WriteAsync(IReadOnlyList<(string? Text, long? Label)> rows, int groupRows = 100,
        CompressionMethod compression = CompressionMethod.Snappy, string textName = "text")
    {
        var label = new DataField<long?>("label");
        var text = new DataField<string>(textName);
        var file = new MemoryStream();
        await using (ParquetWriter writer =
            await ParquetWriter.CreateAsync(new ParquetSchema(label, text), file, new ParquetOptions { CompressionMethod = compression }))
        {
            foreach (var group in rows.Chunk(groupRows))
            {
                using ParquetRowGroupWriter columns = writer.CreateRowGroup();
                await columns.WriteAsync<long>(label, group.Select(row => row.Label).ToArray());
                await columns.WriteAsync(text, group.Select(row => row.Text!).ToArray());
                columns.CompleteValidate();
            }
        }
        return file.ToArray();
    }
}
