namespace ServerlessBert.Modeling.Options;

/// <summary>
/// Makes a property an option: its name on the command line, its help, the reason of its default. A
/// <see cref="System.ComponentModel.DataAnnotations.RangeAttribute"/> beside it is its range; <see cref="RequiresAttribute"/> and
/// <see cref="ConflictsWithAttribute"/> are its rules. Command line, training request, validation and documentation are made from
/// these alone (<see cref="OptionSet{TOptions}"/>).
/// </summary>
/// <param name="name">The name on the command line, such as <c>--learning-rate</c>.</param>
/// <param name="aliases">Other names that help shows, such as <c>--lr</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string name, params string[] aliases) : Attribute
{
    /// <summary>The name on the command line.</summary>
    public string Name { get; } = name;

    /// <summary>Other names that help shows.</summary>
    public IReadOnlyList<string> Aliases { get; } = aliases;

    /// <summary>The name that it had before, still understood and not shown; null for none.</summary>
    public string? FormerName { get; set; }

    /// <summary>The heading under which help and documentation list it.</summary>
    public OptionGroup Group { get; set; }

    /// <summary>What it does, in one sentence.</summary>
    public string Help { get; set; } = "";

    /// <summary>What holds where the default is null, such as "the model's maximum"; null where there is nothing to say.</summary>
    public string? NullMeans { get; set; }

    /// <summary>Why the default is what it is, and where to read about it; null where that is plain.</summary>
    public string? Why { get; set; }

    /// <summary>A usual value, for messages.</summary>
    public string? Example { get; set; }

    /// <summary>Whether it is for a training on this machine alone: a training request cannot say it.</summary>
    public bool IsLocal { get; set; }

    /// <summary>Of a switch: the value that naming it gives.</summary>
    public bool SwitchValue { get; set; } = true;
}

/// <summary>The headings under which options are listed.</summary>
public enum OptionGroup
{
    /// <summary>What is learned from.</summary>
    Data,

    /// <summary>What it starts from.</summary>
    Model,

    /// <summary>How weights are updated.</summary>
    Optimization,

    /// <summary>What keeps a model from overfitting.</summary>
    Regularization,

    /// <summary>When it is measured, and which weights are kept.</summary>
    Evaluation,

    /// <summary>What is written and where.</summary>
    Output,
}

/// <summary>The option has an effect only where another one has a value.</summary>
/// <param name="property">The other property of the same record.</param>
/// <param name="value">Its value.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiresAttribute(string property, object value) : Attribute
{
    /// <summary>The other property.</summary>
    public string Property { get; } = property;

    /// <summary>The value that it must have.</summary>
    public object Value { get; } = value;
}

/// <summary>The option cannot be given together with another one.</summary>
/// <param name="property">The other property of the same record.</param>
/// <param name="because">Why, as the end of a sentence after a colon.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ConflictsWithAttribute(string property, string because) : Attribute
{
    /// <summary>The other property.</summary>
    public string Property { get; } = property;

    /// <summary>Why.</summary>
    public string Because { get; } = because;
}

/// <summary>
/// A word on the command line and in requests that is not the lower-cased name of the enum's member, or a word beside it.
/// </summary>
/// <param name="words">The word that is shown, then others that are understood.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class OptionWordsAttribute(params string[] words) : Attribute
{
    /// <summary>The word that is shown, then others that are understood.</summary>
    public IReadOnlyList<string> Words { get; } = words;
}

/// <summary>A word that may stand in the place of the option's value and turns another option of the same record on.</summary>
/// <param name="word">The word.</param>
/// <param name="property">The property that becomes true.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OrWordAttribute(string word, string property) : Attribute
{
    /// <summary>The word.</summary>
    public string Word { get; } = word;

    /// <summary>The property that becomes true.</summary>
    public string Property { get; } = property;
}
