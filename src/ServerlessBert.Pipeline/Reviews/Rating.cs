using System.Globalization;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>A known rating as files write it. A bad one costs the row its label, not its prediction.</summary>
internal static class Rating
{
    /// <summary>A whole number from 1 to 5; 4.0 is one.</summary>
    public static (int? Stars, RowError? Error) OfStars(string value, RowPlace place, string name) =>
        Whole(value) is >= 1 and <= 5 and int stars ? (stars, null) : (null, RowErrors.InvalidStars(place, name, value));

    /// <summary>Hugging Face's label, a whole number from 0 to 4, as stars.</summary>
    public static (int? Stars, RowError? Error) OfLabel(string value, RowPlace place, string name) =>
        Whole(value) is >= 0 and <= 4 and int label ? (label + 1, null) : (null, RowErrors.InvalidLabel(place, name, value));

    /// <summary>A whole number of less than three digits, or null.</summary>
    public static int? Whole(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < 100 && double.IsInteger(number)
            ? (int)number
            : null;
}
