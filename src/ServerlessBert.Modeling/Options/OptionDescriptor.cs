using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ServerlessBert.Modeling.Options;

/// <summary>An option as its property declares it.</summary>
public sealed class OptionDescriptor
{
    private readonly PropertyInfo property;
    private readonly OptionAttribute option;

    private OptionDescriptor(PropertyInfo property, OptionAttribute option)
    {
        (this.property, this.option) = (property, option);
        Type = new OptionType(property.PropertyType, property.GetCustomAttribute<RangeAttribute>(),
            property.GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<string>().ToArray(), option.Example);
        Requirements = [.. property.GetCustomAttributes<RequiresAttribute>()];
        Conflicts = [.. property.GetCustomAttributes<ConflictsWithAttribute>()];
        OrWord = property.GetCustomAttribute<OrWordAttribute>();
        string camelCase = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
        JsonName = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? camelCase;
        JsonNames = JsonName == camelCase ? [JsonName] : [JsonName, camelCase];
    }

    /// <summary>The options that a record declares, in its order.</summary>
    /// <param name="record">Its type.</param>
    public static IReadOnlyList<OptionDescriptor> Of(Type record) =>
    [
        .. record.GetProperties().Select(property => (property, option: property.GetCustomAttribute<OptionAttribute>()))
            .Where(pair => pair.option is not null).Select(pair => new OptionDescriptor(pair.property, pair.option!)),
    ];

    /// <summary>The property's name.</summary>
    public string Property => property.Name;

    /// <summary>The name on the command line.</summary>
    public string Name => option.Name;

    /// <summary>Other names that help shows.</summary>
    public IReadOnlyList<string> Aliases => option.Aliases;

    /// <summary>The name that it had before, or null.</summary>
    public string? FormerName => option.FormerName;

    /// <summary>The field's name in JSON, as it is written.</summary>
    public string JsonName { get; }

    /// <summary>The names under which a request may give it.</summary>
    public IReadOnlyList<string> JsonNames { get; }

    /// <summary>The heading under which it is listed.</summary>
    public OptionGroup Group => option.Group;

    /// <summary>What it does.</summary>
    public string Help => option.Help;

    /// <summary>What holds where the default is null, or null.</summary>
    public string? NullMeans => option.NullMeans;

    /// <summary>Why the default is what it is, or null.</summary>
    public string? Why => option.Why;

    /// <summary>Whether it is for a training on this machine alone.</summary>
    public bool IsLocal => option.IsLocal;

    /// <summary>Of a switch: the value that naming it gives.</summary>
    public bool SwitchValue => option.SwitchValue;

    /// <summary>What values it can have.</summary>
    public OptionType Type { get; }

    /// <summary>A word that may stand in the value's place, or null.</summary>
    public OrWordAttribute? OrWord { get; }

    /// <summary>What else must have which value.</summary>
    public IReadOnlyList<RequiresAttribute> Requirements { get; }

    /// <summary>What else cannot be given.</summary>
    public IReadOnlyList<ConflictsWithAttribute> Conflicts { get; }

    /// <summary>What a value must be, as the end of the sentence "it must be …".</summary>
    public string Requirement => Type.Requirement + (OrWord is null ? "" : $", or {OrWord.Word}");

    /// <summary>The value of a record.</summary>
    /// <param name="options">The record.</param>
    public object? ValueIn(object options) => property.GetValue(options);

    /// <summary>A value as it is shown to people: the default's words where it is null.</summary>
    /// <param name="value">The value, or null.</param>
    public string Format(object? value) => value is null ? NullMeans ?? "" : Type.Format(value);

    /// <summary>The sentence about a value that it cannot have.</summary>
    /// <param name="name">The option as it was given.</param>
    /// <param name="value">The value as it was given.</param>
    public string Refusal(string name, string value) => $"{name} is {value}; it must be {Requirement}.";

    internal void SetIn(object options, object? value) => property.SetValue(options, value);
}
