using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ServerlessBert.Reviews.Records;

/// <summary>A known rating as files write it. A bad one costs the row its label, not its prediction.</summary>
internal static partial class Rating
{
    // What pandas reads as missing, and what numbers that are none look like as text.
    private static readonly FrozenSet<string> Missing = new[]
    {
        "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "None", "NaN", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
        "Infinity", "-Infinity", "inf", "-inf", "∞", "-∞", "-",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] Words = ["ONE", "TWO", "THREE", "FOUR", "FIVE"];

    /// <summary>Whether a file says by this value that there is no rating.</summary>
    public static bool IsMissing(string? value) => string.IsNullOrWhiteSpace(value) || Missing.Contains(value.Trim());

    /// <summary>
    /// A number of stars from 1 to 5: 4, 4.0, "4 stars", "4/5", "4.0 out of 5 stars", "★★★★☆", "FOUR"; and neither for a missing
    /// one.
    /// </summary>
    public static (int? Stars, RowError? Error) OfStars(string value, RowPlace place, string name) =>
        IsMissing(value) ? (null, null)
        : (Whole(value) ?? Phrase(value.Trim())) is >= 1 and <= 5 and int stars ? (stars, null)
        : (null, RowErrors.InvalidStars(place, name, value));

    /// <summary>Hugging Face's label, a whole number from 0 to 4, as stars.</summary>
    public static (int? Stars, RowError? Error) OfLabel(string value, RowPlace place, string name) =>
        IsMissing(value) ? (null, null)
        : Whole(value) is >= 0 and <= 4 and int label ? (label + 1, null)
        : (null, RowErrors.InvalidLabel(place, name, value));

    /// <summary>A whole number of less than three digits, or null.</summary>
    public static int? Whole(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < 100
            && double.IsInteger(number)
            ? (int)number
            : null;

    private static int? Phrase(string value)
    {
        if (Number().Match(value) is { Success: true } number) return number.Groups["stars"].ValueSpan[0] - '0';
        if (Signs().Match(value) is { Success: true } signs) return signs.Groups["star"].Captures.Count;
        int word = Array.FindIndex(Words, word => word.Equals(value, StringComparison.OrdinalIgnoreCase));
        return word >= 0 ? word + 1 : null;
    }

    [GeneratedRegex(@"\A(rated\s+)?(?<stars>[1-5])([.,]0+)?(\s*(/|out\s+of|of)\s*5([.,]0+)?)?(\s*-?stars?)?(\s+rating)?\z",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    // Black stars and their emoji, then white ones, with or without spaces and variation selectors.
    [GeneratedRegex(@"\A((?<star>[★⭐])\uFE0F?\s*){1,5}([☆✩]\s*)*\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Signs();
}
