using System.Globalization;
using System.Text;

namespace ServerlessBert.Benchmarks.Results;

/// <summary>A table of text cells.</summary>
/// <param name="Columns">The heads; the first column is text, the others are numbers.</param>
/// <param name="Rows">As many cells as there are columns, each.</param>
internal sealed record ResultTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>A number as tables show it: three significant digits.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0##", CultureInfo.InvariantCulture),
    };

    /// <summary>The table in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine($"| {string.Join(" | ", Columns)} |");
        text.AppendLine($"| --- |{string.Concat(Enumerable.Repeat(" ---: |", Columns.Count - 1))}");
        foreach (var row in Rows) text.AppendLine($"| {string.Join(" | ", row)} |");
        return text.ToString();
    }
}
