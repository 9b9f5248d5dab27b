using System.ComponentModel.DataAnnotations;

namespace ServerlessBert.Modeling.Options;

/// <summary>
/// The options that a record's properties declare by <see cref="OptionAttribute"/>, and the one place where values are held to
/// their ranges and rules: the command line, a training request and code that makes the record all ask it, so that what one may
/// say the others may say.
/// </summary>
/// <typeparam name="TOptions">The record. Rules that attributes cannot say are its <see cref="IValidatableObject"/>.</typeparam>
public static class OptionSet<TOptions> where TOptions : class
{
    /// <summary>All of them, in the record's order.</summary>
    public static IReadOnlyList<OptionDescriptor> All { get; } = OptionDescriptor.Of(typeof(TOptions));

    /// <summary>The option of a property.</summary>
    /// <param name="property">The property's name.</param>
    public static OptionDescriptor Of(string property) => All.Single(option => option.Property == property);

    /// <summary>The first thing wrong with options as a sentence; null where all is well.</summary>
    /// <param name="options">The record.</param>
    /// <param name="isGiven">Whether somebody asked for an option, so that it must have an effect.</param>
    /// <param name="spelling">How that somebody names options.</param>
    public static string? FirstProblem(TOptions options, Func<OptionDescriptor, bool> isGiven, OptionSpelling spelling) =>
        All.Select(option => OutOfRange(option, options, spelling)).FirstOrDefault(problem => problem is not null)
        ?? All.Where(isGiven).Select(option => WithoutEffect(option, options, isGiven, spelling))
            .FirstOrDefault(problem => problem is not null)
        ?? (options as IValidatableObject)?.Validate(new ValidationContext(options))
            .Select(problem => Sentence(problem, options, spelling)).FirstOrDefault();

    /// <summary>The same of a record made in code: what differs from <paramref name="defaults"/> was asked for.</summary>
    /// <param name="options">The record.</param>
    /// <param name="defaults">The record's defaults.</param>
    public static string? FirstProblem(TOptions options, TOptions defaults) =>
        FirstProblem(options, option => !Equals(option.ValueIn(options), option.ValueIn(defaults)), OptionSpelling.Property);

    private static string? OutOfRange(OptionDescriptor option, TOptions options, OptionSpelling spelling) =>
        option.ValueIn(options) is { } value && !option.Type.Allows(value)
            ? option.Refusal(spelling.NameOf(option), option.Type.Format(value)) : null;

    private static string? WithoutEffect(
        OptionDescriptor option, TOptions options, Func<OptionDescriptor, bool> isGiven, OptionSpelling spelling)
    {
        foreach (RequiresAttribute rule in option.Requirements)
        {
            OptionDescriptor other = Of(rule.Property);
            object? actual = other.ValueIn(options);
            if (Equals(actual, rule.Value)) continue;
            return other.Type.IsSwitch ? $"{spelling.NameOf(option)} cannot be combined with {spelling.Setting(other, actual)}."
                : $"{spelling.NameOf(option)} has no effect without {spelling.Setting(other, rule.Value)}.";
        }
        foreach (ConflictsWithAttribute rule in option.Conflicts)
        {
            OptionDescriptor other = Of(rule.Property);
            if (isGiven(other) && other.ValueIn(options) is not (null or false))
            {
                string setting = spelling.Setting(other, other.ValueIn(options));
                return $"{spelling.NameOf(option)} cannot be combined with {setting}: {rule.Because}.";
            }
        }
        return null;
    }

    private static string Sentence(ValidationResult problem, TOptions options, OptionSpelling spelling)
    {
        OptionDescriptor[] members = [.. problem.MemberNames.Select(Of)];
        return $"{spelling.NameOf(members[0])} is {members[0].Type.Format(members[0].ValueIn(options))}; it must be {problem.ErrorMessage}"
            + string.Concat(members.Skip(1).Select(other => $" {spelling.Setting(other, other.ValueIn(options))}")) + ".";
    }
}

/// <summary>How options are named to whom gave them.</summary>
public abstract class OptionSpelling
{
    /// <summary>As properties, for code.</summary>
    public static OptionSpelling Property { get; } = new Named(option => option.Property);

    /// <summary>As fields of JSON.</summary>
    public static OptionSpelling Json { get; } = new Named(option => option.JsonName);

    /// <summary>An option's name.</summary>
    /// <param name="option">The option.</param>
    public abstract string NameOf(OptionDescriptor option);

    /// <summary>An option with its value.</summary>
    /// <param name="option">The option.</param>
    /// <param name="value">The value.</param>
    public virtual string Setting(OptionDescriptor option, object? value) => $"{NameOf(option)} {option.Type.Format(value)}";

    private sealed class Named(Func<OptionDescriptor, string> name) : OptionSpelling
    {
        public override string NameOf(OptionDescriptor option) => name(option);
    }
}
