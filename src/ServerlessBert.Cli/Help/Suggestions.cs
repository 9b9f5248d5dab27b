namespace ServerlessBert.Cli.Help;

/// <summary>"Did you mean": the known word that a mistyped one is nearest to.</summary>
internal static class Suggestions
{
    private const int MinBeginning = 5;

    /// <summary>The nearest of the known words, or null where none is near.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="known">What it may have meant.</param>
    public static string? Nearest(string typed, IEnumerable<string> known)
    {
        string lower = typed.ToLowerInvariant();
        return known.Select(word => (word, distance: IsBeginning(lower, word) ? 1 : Distance(lower, word.ToLowerInvariant())))
            .Where(pair => pair.distance <= Math.Max(1, pair.word.TrimStart('-').Length / 3))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.word, StringComparer.Ordinal)
            .Select(pair => pair.word).FirstOrDefault();
    }

    // --output for --out, or --mod for --model.
    private static bool IsBeginning(string typed, string word) => Math.Min(typed.Length, word.Length) >= MinBeginning
        && (typed.StartsWith(word, StringComparison.OrdinalIgnoreCase) || word.StartsWith(typed, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Letters to insert, remove, replace, or swap with their neighbour: the optimal string alignment distance (Damerau 1964,
    /// doi:10.1145/363958.363994).
    /// </summary>
    internal static int Distance(string from, string to)
    {
        var distance = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++) distance[i, 0] = i;
        for (int j = 0; j <= to.Length; j++) distance[0, j] = j;
        for (int i = 1; i <= from.Length; i++)
        {
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = distance[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                distance[i, j] = Math.Min(replaced, Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
            }
        }
        return distance[from.Length, to.Length];
    }
}
