using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ServerlessBert.Pipeline.Settings;

/// <summary>
/// Sections of settings as immutable options. A range is an attribute on its property, and is checked when the program
/// starts; so is that every key is a setting. The framework's own messages name our types and not the setting, and its
/// binder appends to a list's defaults: so properties are bound here, one by one.
/// </summary>
public static class SettingsSection
{
    private const string Root = "ServerlessBert";

    // Of all programs, since they are given the same settings.
    private static readonly string[] Names =
        ["Drift", "Inference", "Models", "Retirement", "Retraining", "Reviews", "Runs", "Storage", "Trainer"];

    /// <summary>Registers a section's options, checked at start. What was registered before stays.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, IConfiguration configuration, string section)
        where T : class, new()
    {
        services.AddOptions<T>().Configure(options => Bind(options, configuration, section)).ValidateOnStart();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<T>>().Value);
        return services;
    }

    /// <summary>Checks all sections that were registered, as a host does when it starts, but without its log of a failure.</summary>
    /// <exception cref="SettingsException">A setting cannot work.</exception>
    public static void ValidateSettings(this IServiceProvider services) => services.GetRequiredService<IStartupValidator>().Validate();

    /// <summary>Reads one section.</summary>
    /// <exception cref="SettingsException">A setting cannot work.</exception>
    public static T Read<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        var options = new T();
        Bind(options, configuration, section);
        return options;
    }

    private static void RefuseUnknownSections(IConfiguration configuration)
    {
        foreach (IConfigurationSection section in configuration.GetSection(Root).GetChildren())
        {
            if (!Names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                throw new SettingsException($"{NameOf(section)} is not a section of settings; {Root} has {string.Join(", ", Names)}.");
        }
    }

    private static void Bind<T>(T options, IConfiguration configuration, string name)
        where T : class
    {
        if (!Names.Any(known => name == $"{Root}:{known}"))
            throw new ArgumentException($"{name} is not among the known sections.", nameof(name));
        RefuseUnknownSections(configuration);
        IConfigurationSection section = configuration.GetSection(name);
        PropertyInfo[] properties =
            [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)];
        if (section.Value is { Length: > 0 }) throw new SettingsException(
            $"{NameOf(section)} is a section of settings and not a setting; {Known(section, properties)}");
        foreach (IConfigurationSection setting in section.GetChildren())
        {
            PropertyInfo property = properties.FirstOrDefault(property =>
                property.Name.Equals(setting.Key, StringComparison.OrdinalIgnoreCase))
                ?? throw new SettingsException($"{NameOf(setting)} is not a setting; {Known(section, properties)}");
            property.SetValue(options, ValueOf(setting, property));
        }
    }

    private static object? ValueOf(IConfigurationSection setting, PropertyInfo property)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        bool isList = property.PropertyType != typeof(string)
            && property.PropertyType.IsAssignableTo(typeof(System.Collections.IEnumerable));
        if (isList && setting.Value is { Length: > 0 }) throw new SettingsException(
            $"{NameOf(setting)} is a list; write its first entry as {NameOf(setting)}__0.");
        object? value;
        try
        {
            value = setting.Get(property.PropertyType);
        }
        catch (InvalidOperationException)
        {
            throw Refusal(setting, Form(type));
        }
        if (type.IsEnum && value is not null && !Enum.IsDefined(type, value)) throw Refusal(setting, Form(type));
        foreach (ValidationAttribute rule in property.GetCustomAttributes<ValidationAttribute>())
            if (!rule.IsValid(value)) throw Refusal(setting, RangeOf(rule));
        return value;
    }

    private static SettingsException Refusal(IConfigurationSection setting, string range) =>
        new($"{NameOf(setting)} is {(setting.Value is { } value ? $"\"{value}\"" : "empty")}; it must be {range}.");

    private static string Form(Type type) =>
        type.IsEnum ? string.Join(", ", Enum.GetNames(type))
        : type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "a time such as 00:00:15"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : "a number";

    private static string RangeOf(ValidationAttribute rule) => rule switch
    {
        RangeAttribute { Maximum: double.MaxValue or int.MaxValue } range => FormattableString.Invariant($"{range.Minimum} or more"),
        RangeAttribute range => FormattableString.Invariant($"from {range.Minimum} to {range.Maximum}"),
        AllowedValuesAttribute allowed => string.Join(", ", allowed.Values),
        MinLengthAttribute => "a list with at least one entry",
        _ => rule.ErrorMessage ?? rule.FormatErrorMessage("it"),
    };

    private static string Known(IConfigurationSection section, IEnumerable<PropertyInfo> properties) =>
        $"{NameOf(section)} has {string.Join(", ", properties.Select(property => property.Name).Order(StringComparer.Ordinal))}.";

    // As an environment variable, and a value of local.settings.json, spells it.
    private static string NameOf(IConfigurationSection section) => section.Path.Replace(":", "__", StringComparison.Ordinal);
}

/// <summary>A setting that cannot work: the program does not start with it.</summary>
/// <param name="message">One sentence: which setting, what it is, what it may be.</param>
/// <param name="cause">What lies behind it, or null.</param>
public sealed class SettingsException(string message, Exception? cause = null) : ServerlessBertException(message, cause);
