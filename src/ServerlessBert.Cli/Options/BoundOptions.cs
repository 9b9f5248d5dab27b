using System.CommandLine;
using ServerlessBert.Cli.Help;
using ServerlessBert.Cli.Input;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Options;

/// <summary>The options of a verb that a record's properties declare (<see cref="OptionAttribute"/>).</summary>
/// <typeparam name="TOptions">The record.</typeparam>
internal sealed class BoundOptions<TOptions> where TOptions : class
{
    private readonly Dictionary<OptionDescriptor, Option[]> options;

    /// <summary>Makes them.</summary>
    /// <param name="defaults">The defaults that help shows.</param>
    /// <param name="defaultsOfPreset">The defaults with <c>--preset</c>, where they are others.</param>
    /// <param name="except">Properties that the verb has no option for.</param>
    public BoundOptions(TOptions defaults, TOptions? defaultsOfPreset = null, params string[] except) =>
        options = OptionSet<TOptions>.All.Where(option => !except.Contains(option.Property)).ToDictionary(option => option, option =>
        {
            string help = HelpOf(option, defaults, defaultsOfPreset);
            Option shown = Create(option, help, option.Name, [.. option.Aliases]).Under(option.Group);
            if (option.FormerName is null) return [shown];
            Option former = Create(option, $"The former name of {option.Name}.", option.FormerName);
            former.Hidden = true;
            return new[] { shown, former };
        });

    /// <summary>All of them, former names too.</summary>
    public Option[] All => [.. options.Values.SelectMany(spellings => spellings)];

    /// <summary>Those for work on this machine alone.</summary>
    public Option[] Local => [.. options.Where(pair => pair.Key.IsLocal).SelectMany(pair => pair.Value)];

    /// <summary>The options of some properties, former names too.</summary>
    public Option[] Of(params string[] properties) => [.. properties.SelectMany(property => options[OptionSet<TOptions>.Of(property)])];

    /// <summary>What was typed.</summary>
    /// <exception cref="UsageException">An option was given under two of its names.</exception>
    public OptionValues<TOptions> Given(ParseResult parsed)
    {
        OptionValues<TOptions> values = OptionValues<TOptions>.None;
        foreach ((OptionDescriptor option, Option[] spellings) in options)
        {
            Option[] given = [.. spellings.Where(parsed.IsGiven)];
            if (given.Length > 1)
                throw new UsageException($"{given[0].Name} and {given[1].Name} are two names of one option; give one of them.");
            if (given.Length == 0) continue;
            values = given[0] is Option<bool> flag ? values.With(option, parsed.GetValue(flag) == option.SwitchValue)
                : parsed.GetValue((Option<object?>)given[0]) is { } value and not OrWordAttribute ? values.With(option, value)
                : values.With(OptionSet<TOptions>.Of(option.OrWord!.Property), true);
        }
        return values;
    }

    /// <summary>The defaults with what was typed in their place.</summary>
    /// <exception cref="UsageException">Two options contradict each other, or one has no effect beside the others.</exception>
    public TOptions Over(TOptions defaults, ParseResult parsed)
    {
        OptionValues<TOptions> given = Given(parsed);
        TOptions all = given.Over(defaults);
        return OptionSet<TOptions>.FirstProblem(all, given.Has, SpellingIn(parsed)) is { } problem
            ? throw new UsageException(problem) : all;
    }

    /// <summary>How options were named when they were typed.</summary>
    public OptionSpelling SpellingIn(ParseResult parsed) => new Typed(option =>
        options.GetValueOrDefault(option)?.FirstOrDefault(parsed.IsGiven) is { } given
            ? TypedOption.NameOf(parsed.GetResult(given)) : option.Name);

    private static Option Create(OptionDescriptor option, string help, string name, params string[] aliases)
    {
        if (option.Type.IsSwitch) return new Option<bool>(name, aliases) { Description = help };
        Option<object?> created = TypedOption.Create<object>(option.Type, help, name, aliases);
        created.CustomParser = argument => option.OrWord is { } or && argument.Tokens[^1].Value == or.Word ? or
            : TypedOption.Parse(argument, option.Type, option.Requirement);
        return created;
    }

    private static string HelpOf(OptionDescriptor option, TOptions defaults, TOptions? defaultsOfPreset)
    {
        if (option.Type.IsSwitch) return $"{option.Help}.";
        string usual = option.Format(option.ValueIn(defaults));
        string withPreset = defaultsOfPreset is null ? usual : option.Format(option.ValueIn(defaultsOfPreset));
        return usual.Length == 0 ? $"{option.Help}."
            : usual == withPreset ? $"{option.Help} ({usual})." : $"{option.Help} ({usual}; with --preset {withPreset}).";
    }

    private sealed class Typed(Func<OptionDescriptor, string> name) : OptionSpelling
    {
        public override string NameOf(OptionDescriptor option) => name(option);

        public override string Setting(OptionDescriptor option, object? value) =>
            option.Type.IsSwitch && Equals(value, option.SwitchValue) ? NameOf(option) : base.Setting(option, value);
    }
}
