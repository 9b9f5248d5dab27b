using System.CommandLine;
using System.CommandLine.Parsing;

namespace ServerlessBert.Cli.Options;

/// <summary>
/// Rules between the options of a verb: one that would have no effect is refused while the line is parsed, never ignored. Rules
/// between the options of one record stand on its properties.
/// </summary>
internal static class OptionRules
{
    /// <summary>Options that mean something only where a switch, or an option with any value, is given.</summary>
    public static void HaveNoEffectWithout(this Command command, Option required, params Option[] dependents) =>
        command.ForEachGiven(dependents, (result, dependent) =>
        {
            if (!result.IsOn(required))
                result.AddError($"{dependent} has no effect without {required.Name}; add {required.Name}, or leave {dependent} out.");
        });

    /// <summary>Options that contradict another one, or that it makes meaningless.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="option">The other one.</param>
    /// <param name="others">The options.</param>
    /// <param name="because">Why, as the end of a sentence after a colon; null where that is plain.</param>
    public static void CannotBeCombined(this Command command, Option option, IEnumerable<Option> others, string? because = null) =>
        command.ForEachGiven(others, (result, other) =>
        {
            if (!result.IsOn(option)) return;
            string reason = because is null ? "" : $": {because}";
            result.AddError($"{other} cannot be combined with {TypedOption.NameOf(result.GetResult(option))}{reason}.");
        });

    /// <summary>An option that must be given, but where a switch makes it unnecessary.</summary>
    public static void IsRequiredWithout(this Command command, Option option, Option<bool> unless) => command.Validators.Add(result =>
    {
        if (!result.IsOn(option) && !result.IsOn(unless)) result.AddError($"Option '{option.Name}' is required.");
    });

    private static void ForEachGiven(this Command command, IEnumerable<Option> options, Action<CommandResult, string> check) =>
        command.Validators.Add(result =>
        {
            foreach (Option option in options)
                if (result.IsOn(option)) check(result, TypedOption.NameOf(result.GetResult(option)));
        });

    /// <summary>
    /// Whether an option was typed, and not as <c>--wait false</c>. Its value is not read: it may be one that was refused already.
    /// </summary>
    public static bool IsOn(this CommandResult result, Option option) => result.GetResult(option) is { Implicit: false } given
        && !(option.ValueType == typeof(bool) && given.Tokens is [{ Value: var text }]
            && text.Equals("false", StringComparison.OrdinalIgnoreCase));
}
