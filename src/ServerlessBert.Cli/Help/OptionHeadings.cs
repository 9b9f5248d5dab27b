using System.CommandLine;
using System.Runtime.CompilerServices;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Help;

/// <summary>The headings under which a verb's help lists its options.</summary>
internal static class OptionHeadings
{
    private static readonly ConditionalWeakTable<Option, object> Groups = [];

    // Options of verbs that are no record's properties, by what they name.
    private static readonly Dictionary<string, OptionGroup> ByName = new()
    {
        ["--data"] = OptionGroup.Data,
        ["--eval"] = OptionGroup.Evaluation,
        ["--input-format"] = OptionGroup.Data,
        ["--base"] = OptionGroup.Model,
        ["--teacher"] = OptionGroup.Model,
        ["--pretrain-epochs"] = OptionGroup.Model,
        ["--device"] = OptionGroup.Optimization,
        ["--out"] = OptionGroup.Output,
        ["--json"] = OptionGroup.Output,
        ["--report"] = OptionGroup.Output,
        ["--show"] = OptionGroup.Output,
        ["--checkpoint-every"] = OptionGroup.Output,
        ["--no-checkpoints"] = OptionGroup.Output,
    };

    /// <summary>Lists the option under a heading.</summary>
    public static TOption Under<TOption>(this TOption option, OptionGroup group) where TOption : Option
    {
        Groups.AddOrUpdate(option, group);
        return option;
    }

    /// <summary>The option's heading; null for what has none.</summary>
    public static OptionGroup? Of(Option option) =>
        Groups.TryGetValue(option, out object? group) ? (OptionGroup)group : ByName.TryGetValue(option.Name, out OptionGroup named)
            ? named : null;
}
