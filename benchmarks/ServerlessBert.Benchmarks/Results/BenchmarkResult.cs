using System.Text.Json;

namespace ServerlessBert.Benchmarks.Results;

/// <summary>What a verb measured: figures by name for documents and tests, tables for people.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="Date">The day, yyyy-MM-dd.</param>
/// <param name="Machine">What it ran on.</param>
/// <param name="Figures">Single numbers by name.</param>
/// <param name="Labels">Single words by name.</param>
/// <param name="Tables">What the figures came from.</param>
internal sealed record BenchmarkResult(
    string Verb, string Date, string Machine,
        IReadOnlyDictionary<string, double> Figures, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<ResultTable> Tables)
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>A result of today on this machine.</summary>
    public static BenchmarkResult Of(string verb, IReadOnlyDictionary<string, double> figures, params ResultTable[] tables) =>
        new(verb, $"{DateTime.UtcNow:yyyy-MM-dd}", Benchmarks.Machine.Describe(), figures, new Dictionary<string, string>(), tables);

    /// <summary>Reads a result that <see cref="Write"/> wrote.</summary>
    public static BenchmarkResult Read(string path) =>
        JsonSerializer.Deserialize<BenchmarkResult>(File.ReadAllBytes(path), Format)
            ?? throw new InvalidDataException($"{path} holds null.");

    /// <summary>Prints the tables; with a folder, writes VERB.json there too.</summary>
    public void Show(DirectoryInfo? folder)
    {
        Console.WriteLine($"{Verb}, {Date}, {Machine}");
        foreach (ResultTable table in Tables) Console.WriteLine($"\n{table.ToMarkdown()}");
        if (folder is not null) Write(folder.FullName);
    }

    /// <summary>Writes VERB.json into a folder, made where it is missing.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{Verb}.json"), JsonSerializer.Serialize(this, Format) + "\n");
    }
}
