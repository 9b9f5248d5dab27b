using System.Collections.Immutable;
using System.Linq.Expressions;
using System.Reflection;

namespace ServerlessBert.Modeling.Options;

/// <summary>The options that somebody gave, on the command line or in a request: what is not among them keeps its default.</summary>
/// <typeparam name="TOptions">The record whose options they are.</typeparam>
public sealed class OptionValues<TOptions> : IEquatable<OptionValues<TOptions>> where TOptions : class
{
    private static readonly MethodInfo Clone =
        typeof(object).GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private readonly ImmutableDictionary<OptionDescriptor, object> values;

    private OptionValues(ImmutableDictionary<OptionDescriptor, object> values) => this.values = values;

    /// <summary>None given.</summary>
    public static OptionValues<TOptions> None { get; } = new([]);

    /// <summary>These, in the order of the record's properties.</summary>
    public IEnumerable<(OptionDescriptor Option, object Value)> Given =>
        OptionSet<TOptions>.All.Where(values.ContainsKey).Select(option => (option, values[option]));

    /// <summary>Whether an option is among them.</summary>
    /// <param name="option">One of the record's.</param>
    public bool Has(OptionDescriptor option) => values.ContainsKey(option);

    /// <summary>These and one more.</summary>
    /// <param name="option">One of the record's.</param>
    /// <param name="value">Its value.</param>
    public OptionValues<TOptions> With(OptionDescriptor option, object value) => new(values.SetItem(option, value));

    /// <summary>These and one more.</summary>
    /// <param name="property">The property, as <c>options => options.Epochs</c>.</param>
    /// <param name="value">Its value.</param>
    public OptionValues<TOptions> With<TValue>(Expression<Func<TOptions, TValue>> property, TValue value) =>
        With(OptionSet<TOptions>.Of(((MemberExpression)property.Body).Member.Name),
            value ?? throw new ArgumentNullException(nameof(value)));

    /// <summary>A record with these in the place of its own values.</summary>
    /// <param name="defaults">What holds where nothing was given; it is not changed.</param>
    public TOptions Over(TOptions defaults)
    {
        var options = (TOptions)Clone.Invoke(defaults, null)!;
        foreach ((OptionDescriptor option, object value) in values) option.SetIn(options, value);
        return options;
    }

    /// <inheritdoc/>
    public bool Equals(OptionValues<TOptions>? other) => other is not null && values.Count == other.values.Count
        && values.All(pair => other.values.TryGetValue(pair.Key, out object? value)
            && pair.Key.Type.Format(pair.Value) == pair.Key.Type.Format(value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OptionValues<TOptions>);

    /// <inheritdoc/>
    public override int GetHashCode() => values.Count;
}
