using System.CommandLine;
using System.CommandLine.Parsing;
using System.ComponentModel.DataAnnotations;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Options;

/// <summary>
/// System.CommandLine's options for values of an <see cref="OptionType"/>: read in the invariant culture and held to their range while
/// the line is parsed, so that a wrong one is an error of usage that names the option as it was typed.
/// </summary>
internal static class TypedOption
{
    /// <summary>An option whose values are of a type.</summary>
    public static Option<T?> Create<T>(OptionType type, string help, string name, params string[] aliases) => new(name, aliases)
    {
        Description = help,
        HelpName = type.Words.Count > 0 ? string.Join('|', type.Words) : null,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = argument => Parse(argument, type) is { } value ? (T)value : default,
    };

    /// <summary>An option for a whole number.</summary>
    public static Option<int?> Whole(string help, int min, int max, string name, params string[] aliases) =>
        Create<int?>(new OptionType(typeof(int), new RangeAttribute(min, max)), help, name, aliases);

    /// <summary>An option for one of an enum's words.</summary>
    public static Option<T?> Word<T>(string help, string name, params string[] aliases) where T : struct, Enum =>
        Create<T?>(new OptionType(typeof(T)), help, name, aliases);

    /// <summary>Reads the value, or adds the sentence that says what is wrong with it.</summary>
    /// <param name="argument">What was typed after the option.</param>
    /// <param name="type">What it must be.</param>
    /// <param name="requirement">How that is said; null for the type's own way.</param>
    public static object? Parse(ArgumentResult argument, OptionType type, string? requirement = null)
    {
        string text = argument.Tokens[^1].Value;
        bool isRead = type.TryParse(text, out object? value);
        if (isRead && type.Allows(value!)) return value;
        string given = isRead ? text : $"'{text}'";
        argument.AddError($"{NameOf(argument.Parent as OptionResult)} is {given}; it must be {requirement ?? type.Requirement}.");
        return null;
    }

    /// <summary>Whether an option was typed.</summary>
    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>An option's name as it was typed, or its own.</summary>
    public static string NameOf(OptionResult? result) => result?.IdentifierToken?.Value ?? result?.Option.Name ?? "the value";
}
