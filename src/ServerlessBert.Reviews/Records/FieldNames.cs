namespace ServerlessBert.Reviews.Records;

/// <summary>Whether a column or property is one that is looked for, however its name is written.</summary>
internal static class FieldNames
{
    private const string Score = "score";

    /// <summary>The place of a name among the accepted ones, or null.</summary>
    public static int? RankOf(IReadOnlyList<string> accepted, string name)
    {
        for (int rank = 0; rank < accepted.Count; rank++)
            if (AreSame(accepted[rank], name)) return rank;
        return null;
    }

    /// <summary>The column of the first accepted name that one has, or null.</summary>
    public static int? ColumnOf(IReadOnlyList<string> accepted, IReadOnlyList<string> names)
    {
        foreach (string name in accepted)
            for (int column = 0; column < names.Count; column++)
                if (AreSame(name, names[column])) return column;
        return null;
    }

    /// <summary>Whether a rating's name is believed only where there is no label.</summary>
    public static bool IsScore(string name) => AreSame(Score, name);

    /// <summary>Whether some accepted name leads into a property of this path.</summary>
    public static bool LeadsInto(IReadOnlyList<string> accepted, string path)
    {
        foreach (string name in accepted)
            for (int point = name.IndexOf('.'); point >= 0; point = name.IndexOf('.', point + 1))
                if (AreSame(name.AsSpan(0, point), path)) return true;
        return false;
    }

    // "Review Text", "review-text" and "reviewText" are review_text.
    private static bool AreSame(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        while (true)
        {
            one = one.TrimStart(" -_");
            other = other.TrimStart(" -_");
            if (one.IsEmpty || other.IsEmpty) return one.IsEmpty && other.IsEmpty;
            if (char.ToLowerInvariant(one[0]) != char.ToLowerInvariant(other[0])) return false;
            one = one[1..];
            other = other[1..];
        }
    }
}
