namespace ServerlessBert.Infrastructure.Tests;

/// <summary>Tables of a Markdown document.</summary>
internal static class MarkdownTable
{
    /// <summary>The rows of the one table whose first heading is <paramref name="firstHeading"/>, a string a cell.</summary>
    public static IReadOnlyList<string[]> Rows(string document, string firstHeading)
    {
        string[] lines = document.Split('\n');
        int heading = Assert.Single(
            Enumerable.Range(0, lines.Length), line => lines[line].StartsWith($"| {firstHeading} |", StringComparison.Ordinal));
        return [.. lines.Skip(heading + 2).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim()[1..^1].Split('|', StringSplitOptions.TrimEntries))];
    }
}
