using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace ServerlessBert.Modeling.Options;

/// <summary>
/// What values an option can have: how they are read, whatever the machine's culture, how they are shown, and what is said of one
/// that is refused. The same for the command line, a request and a record in code.
/// </summary>
/// <param name="type">bool, int, double, string, an enum, a list of doubles, or one of them made nullable.</param>
/// <param name="range">The range of a number, or of each number of a list; null for any finite one.</param>
/// <param name="words">Of a string: the words that it may be; null for any.</param>
/// <param name="example">A usual value, for messages; null for none.</param>
public sealed class OptionType(Type type, RangeAttribute? range = null, IReadOnlyList<string>? words = null, string? example = null)
{
    /// <summary>The type of its values, without null.</summary>
    public Type Type { get; } = Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>The words that a value may be, as they are shown; empty where it is not a word.</summary>
    public IReadOnlyList<string> Words { get; } =
        words ?? [.. MembersOf(Nullable.GetUnderlyingType(type) ?? type).Select(member => WordsOf(member)[0])];

    /// <summary>Whether naming the option is enough.</summary>
    public bool IsSwitch => Type == typeof(bool);

    private bool IsList => typeof(IEnumerable<double>).IsAssignableFrom(Type);

    /// <summary>
    /// Reads a value as it is typed, in the invariant culture. A value of the right kind may still be outside of the range.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The value.</param>
    public bool TryParse(string text, [NotNullWhen(true)] out object? value)
    {
        value = Type switch
        {
            _ when Type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int whole)
                ? whole : null,
            _ when Type == typeof(double) => TryParseNumber(text, out double number) ? number : null,
            _ when IsSwitch => bool.TryParse(text, out bool isOn) ? isOn : null,
            _ when Type == typeof(string) => words is null ? text
                : words.FirstOrDefault(word => word.Equals(text, StringComparison.OrdinalIgnoreCase)),
            _ when IsList => NumbersOf(text),
            _ => MembersOf(Type).FirstOrDefault(member => WordsOf(member).Contains(text, StringComparer.OrdinalIgnoreCase))?.GetValue(null),
        };
        return value is not null;
    }

    /// <summary>Reads a value as JSON has it; a number may stand in quotes.</summary>
    /// <param name="json">The value.</param>
    /// <param name="value">The value as this type.</param>
    public bool TryRead(JsonElement json, [NotNullWhen(true)] out object? value)
    {
        value = null;
        return json.ValueKind switch
        {
            JsonValueKind.String => !IsSwitch && !IsList && TryParse(json.GetString()!, out value),
            JsonValueKind.Number => (Type == typeof(int) || Type == typeof(double)) && TryParse(json.GetRawText(), out value),
            JsonValueKind.True or JsonValueKind.False => IsSwitch && TryParse(json.GetRawText(), out value),
            JsonValueKind.Array => IsList && TryParse(string.Join(',', json.EnumerateArray()), out value),
            _ => false,
        };
    }

    /// <summary>Whether a value lies in the range, or is one of the words.</summary>
    /// <param name="value">Of this type.</param>
    public bool Allows(object value) => value switch
    {
        IEnumerable<double> numbers => numbers.Any() && numbers.All(number => IsInRange(number)),
        int or double => IsInRange(value),
        Enum member => Enum.IsDefined(Type, member),
        string word => words is null || words.Contains(word),
        _ => true,
    };

    /// <summary>A value as it is typed.</summary>
    /// <param name="value">Of this type, or null.</param>
    public string Format(object? value) => value switch
    {
        null => "",
        bool isOn => isOn ? "true" : "false",
        Enum member => Type.GetField($"{member}") is { } field ? WordsOf(field)[0] : $"{member}",
        double number => Numeral(number),
        IEnumerable<double> numbers => string.Join(',', numbers.Select(Numeral)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>What a value must be, as the end of the sentence "it must be …".</summary>
    public string Requirement => Kind() + (example is null ? "" : $", such as {example}");

    /// <summary>The range or the words alone, as a table has them; empty where there is nothing to say.</summary>
    public string Range => Words.Count > 0 ? Listed(Words) : range switch
    {
        null => "",
        { Maximum: double.MaxValue or int.MaxValue, MinimumIsExclusive: true } => $"above {Bound(range.Minimum)}",
        { Maximum: double.MaxValue or int.MaxValue } => $"{Bound(range.Minimum)} or more",
        { MinimumIsExclusive: true, MaximumIsExclusive: true } => $"above {Bound(range.Minimum)} and below {Bound(range.Maximum)}",
        { MinimumIsExclusive: true } => $"above {Bound(range.Minimum)} and at most {Bound(range.Maximum)}",
        { MaximumIsExclusive: true } => $"from {Bound(range.Minimum)} to below {Bound(range.Maximum)}",
        _ => $"from {Bound(range.Minimum)} to {Bound(range.Maximum)}",
    };

    private string Kind() => Type switch
    {
        _ when Words.Count > 0 => Range,
        // Both bounds are said, since a number that does not fit the type is refused by them.
        _ when Type == typeof(int) =>
            $"a whole number from {Bound(range?.Minimum ?? int.MinValue)} to {Bound(range?.Maximum ?? int.MaxValue)}",
        _ when Type == typeof(double) => $"a number {Range}".TrimEnd(),
        _ when IsSwitch => "true or false",
        _ when IsList => $"numbers {Range} between commas",
        _ => "text",
    };

    private bool IsInRange(object number) =>
        double.IsFinite(Convert.ToDouble(number, CultureInfo.InvariantCulture)) && range?.IsValid(number) != false;

    private static bool TryParseNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    private static double[]? NumbersOf(string text)
    {
        string[] parts = text.Split(',');
        double[] numbers = [.. parts.Select(part => TryParseNumber(part, out double number) ? number : (double?)null).OfType<double>()];
        return numbers.Length == parts.Length ? numbers : null;
    }

    private static FieldInfo[] MembersOf(Type type) => type.IsEnum ? type.GetFields(BindingFlags.Public | BindingFlags.Static) : [];

    private static IReadOnlyList<string> WordsOf(FieldInfo member) =>
        member.GetCustomAttribute<OptionWordsAttribute>()?.Words ?? [member.Name.ToLowerInvariant()];

    private static string Listed(IReadOnlyList<string> words) =>
        words.Count == 1 ? words[0] : $"{string.Join(", ", words.SkipLast(1))} or {words[^1]}";

    private static string Numeral(double number) =>
        Math.Abs(number) is > 0 and < 0.001 ? number.ToString("0.################e-0", CultureInfo.InvariantCulture)
            : number.ToString(CultureInfo.InvariantCulture);

    private static string Bound(object bound) => bound switch
    {
        int whole => whole.ToString("N0", CultureInfo.InvariantCulture),
        double number when Math.Abs(number) >= 1000 => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => Numeral((double)bound),
    };
}
