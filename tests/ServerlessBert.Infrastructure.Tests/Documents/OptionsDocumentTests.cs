using System.Text;
using ServerlessBert.Modeling.Options;
using ServerlessBert.Modeling.Pretraining;
using ServerlessBert.Modeling.Recipes;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>docs/reference/options.md is made from the options' attributes: UPDATE_DOCUMENTS=1 writes it.</summary>
public sealed class OptionsDocumentTests
{
    private const string UpdateVariable = "UPDATE_DOCUMENTS";
    private static readonly string Path = Repository.PathOf("docs", "reference", "options.md");

    [Fact]
    public void The_options_document_says_what_the_options_say()
    {
        string made = Made();
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") File.WriteAllText(Path, made);

        string there = File.Exists(Path) ? File.ReadAllText(Path) : "";
        Assert.True(made == there,
            $"docs/reference/options.md is not up to date; run this test with {UpdateVariable}=1. It must be:\n{made}");
    }

    private static string Made()
    {
        var document = new StringBuilder("""
            # Options of training

            Made from the attributes of `TrainingOptions`, `PretrainingOptions`, `TrainingStart.FromScratch` and `TrainingRequest`; a test
            holds it, and `UPDATE_DOCUMENTS=1 dotnet test tests/ServerlessBert.Infrastructure.Tests --filter OptionsDocument` writes it.

            A field of a training request (the JSON in the queue `training-requests`, see [training.md](../training.md)) takes the values
            of its option. An option without a field is for a training on this machine. Numbers have a decimal point, whatever the locale.

            """.ReplaceLineEndings("\n"));
        document.Append("\n## `sbert train` and the training request\n");
        foreach (IGrouping<OptionGroup, OptionDescriptor> group in OptionSet<TrainingOptions>.All.GroupBy(option => option.Group)
            .OrderBy(group => group.Key))
        {
            document.Append($"\n### {group.Key}\n\n");
            Table(document, [.. group], new TrainingOptions(), TrainingOptions.FromScratch, hasFields: true);
        }
        document.Append("\n## What a training starts from\n\nFor `sbert train` and `sbert pretrain`, in the place of `--base`.\n\n");
        Table(document, OptionSet<TrainingStart.FromScratch>.All, new TrainingStart.FromScratch(), null, hasFields: false);
        document.Append("\n## What decides whether a trained model goes live\n\n");
        OptionDescriptor[] gate = [.. OptionSet<TrainingRequest>.All.Where(option => option.Group == OptionGroup.Evaluation)];
        Table(document, gate, new TrainingRequest { EvalFraction = TrainingRequest.DefaultEvalFraction }, null, hasFields: true);
        document.Append("\n## `sbert pretrain`\n\n");
        Table(document, OptionSet<PretrainingOptions>.All, new PretrainingOptions(), PretrainingOptions.FromScratch, hasFields: false);
        document.Append("\n## Former names\n\nStill understood:\n\n| Former name | Name |\n| --- | --- |\n");
        foreach (OptionDescriptor option in OptionSet<TrainingOptions>.All.Where(option => option.FormerName is not null))
            document.Append($"| `{option.FormerName}` | `{option.Name}` |\n");
        return document.ToString();
    }

    private static void Table<TOptions>(
        StringBuilder document, IReadOnlyList<OptionDescriptor> options, TOptions defaults, TOptions? withPreset, bool hasFields)
            where TOptions : class
    {
        string[] OnlyIf(bool isShown, string cell) => isShown ? [cell] : [];
        string[] headings =
            ["Option", .. OnlyIf(hasFields, "Field"), "Values", "Default", .. OnlyIf(withPreset is not null, "With `--preset`"),
                "What it does, and why so"];
        document.Append($"| {string.Join(" | ", headings)} |\n|{string.Concat(headings.Select(_ => " --- |"))}\n");
        foreach (OptionDescriptor option in options)
        {
            string usual = Shown(option, defaults);
            string[] cells =
            [
                string.Join(", ", option.Aliases.Prepend(option.Name).Select(name => $"`{name}`")),
                .. OnlyIf(hasFields, option.IsLocal ? "–" : string.Join(", ", option.JsonNames.Select(name => $"`{name}`"))),
                ValuesOf(option),
                usual,
                .. withPreset is null ? Array.Empty<string>() : [Shown(option, withPreset) is var other && other == usual ? "" : other],
                $"{option.Help}.{(option.Why is null ? "" : $" {option.Why}.")}",
            ];
            document.Append($"| {string.Join(" | ", cells)} |\n");
        }
    }

    private static string Shown(OptionDescriptor option, object options) =>
        option.Type.IsSwitch ? Equals(option.ValueIn(options), option.SwitchValue) ? "on" : "off" : option.Format(option.ValueIn(options));

    private static string ValuesOf(OptionDescriptor option)
    {
        string range = option.Type.IsSwitch ? $"field: {(option.SwitchValue ? "true" : "false")}" : option.Type.Range;
        return option.OrWord is not { } or ? range
            : $"numbers {range}, or `{or.Word}` (field: `{OptionSet<TrainingOptions>.Of(or.Property).JsonName}`)";
    }
}
