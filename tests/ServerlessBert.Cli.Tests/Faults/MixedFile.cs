using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ServerlessBert.Testing;

namespace ServerlessBert.Cli.Tests.Faults;

/// <summary>A review file of some form, and what must come out of it.</summary>
/// <param name="Name">Its name, whose endings tell its form.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Ids">The id of each of its rows; null where the row has none.</param>
internal sealed record MixedFile(string Name, byte[] Content, IReadOnlyList<string?> Ids)
{
    private static readonly string[] Endings = ["jsonl", "csv", "tsv", "txt", "jsonl.gz", "csv.gz", "ndjson", "tsv.gz", "parquet",
        "utf16.csv"];

    /// <summary>
    /// A file of 30 to 90 rows, its form by its number. Some rows have no text, some are no JSON, some have line
    /// breaks in quotes.
    /// </summary>
    public static async Task<MixedFile> CreateAsync(Random random, int number)
    {
        string ending = Endings[number % Endings.Length];
        string[] texts = [.. Enumerable.Range(0, random.Next(30, 90)).Select(_ => TextOf(random))];
        if (ending == "parquet") return new MixedFile($"{number}.{ending}",
            await ParquetFiles.WriteAsync([.. texts.Select((text, row) => ((string?)text, (long?)row % 5))], groupRows: 20),
                new string?[texts.Length]);
        string form = ending.Replace(".gz", "", StringComparison.Ordinal).Replace("utf16.", "", StringComparison.Ordinal);
        var (content, ids) = form switch
        {
            "csv" => Delimited(texts, ','),
            "tsv" => Delimited(texts, '\t'),
            "txt" => Lines(texts),
            _ => Json(texts),
        };
        byte[] bytes = ending.StartsWith("utf16", StringComparison.Ordinal)
            ? [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(content)]
            : Encoding.UTF8.GetBytes(content);
        return new MixedFile($"{number}.{ending}", ending.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(bytes) : bytes, ids);
    }

    private static string TextOf(Random random) => random.Next(12) == 0
        ? " "
        : string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ =>
            $"the food was {SmallModels.WordsByStars[random.Next(5)]} ,"));

    private static (string, string?[]) Json(string[] texts) => (
        string.Concat(texts.Select((text, row) =>
            (row % 17 == 5 ? $"{text} is no JSON" : JsonSerializer.Serialize(new { id = $"r{row}", text })) + "\n")),
        [.. texts.Select((_, row) => row % 17 == 5 ? null : $"r{row}")]);

    private static (string, string?[]) Delimited(string[] texts, char delimiter) => (
        $"id{delimiter}text\r\n" + string.Concat(texts.Select((text, row) =>
            $"r{row}{delimiter}\"{text}{(row % 5 == 0 && text != " " ? "\r\nand \"\"very\"\" , good" : "")}\"\r\n")),
        [.. texts.Select((_, row) => $"r{row}")]);

    // A line of blanks is no row, so every line has a word.
    private static (string, string?[]) Lines(string[] texts) =>
        (string.Concat(texts.Select(text => $"a {text}\n")), new string?[texts.Length]);

    private static byte[] Gzip(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(content);
        return compressed.ToArray();
    }
}
