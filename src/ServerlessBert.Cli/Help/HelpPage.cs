using System.CommandLine;
using System.CommandLine.Invocation;
using ServerlessBert.Cli.Output;
using ServerlessBert.Modeling.Options;

namespace ServerlessBert.Cli.Help;

/// <summary>A verb's help: what it does, how it is typed, examples, and its options under their headings.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    private const int Indent = 2, NameWidth = 30, MinWidth = 40, MaxWidth = 120;

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        foreach (string line in Lines(parsed.CommandResult.Command, WidthOfTerminal())) output.WriteLine(line);
        return ExitCode.Done;
    }

    /// <summary>The page's lines, none longer than a width.</summary>
    internal static IEnumerable<string> Lines(Command command, int width) => new[]
    {
        [.. Wrap(command.Description ?? "", width)],
        ["", .. Wrap($"Usage: {Usage(command)}", width)],
        Section("Examples:", Examples.Of(command.Words()).Select(example => $"  {example}")),
        Section("Verbs:", command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb => Row(verb.Name, verb.Description, width))),
        Section("Arguments:",
            command.Arguments.Where(argument => !argument.Hidden)
            .SelectMany(argument => Row(Placeholder(argument), argument.Description, width))),
        [.. Groups(command)
            .SelectMany(group =>
            Section(HeadingOf(group.Key), group.SelectMany(option => Row(NamesOf(option), DescriptionOf(option), width))))],
    }.SelectMany(lines => lines);

    private static IEnumerable<IGrouping<OptionGroup?, Option>> Groups(Command command) =>
        command.AllOptions().GroupBy(OptionHeadings.Of).OrderBy(group => group.Key ?? (OptionGroup)int.MaxValue);

    private static string HeadingOf(OptionGroup? group) => group is null ? "Options:" : $"{group}:";

    private static string[] Section(string heading, IEnumerable<string> lines)
    {
        string[] all = [.. lines];
        return all.Length == 0 ? [] : ["", heading, .. all];
    }

    private static string Usage(Command command)
    {
        string arguments = string.Concat(command.Arguments.Where(argument => !argument.Hidden).Select(argument =>
            argument.Arity.MinimumNumberOfValues == 0 ? $" [{Placeholder(argument)}]" : $" {Placeholder(argument)}"));
        return $"{command.Typed()}{(command.Subcommands.Count > 0 ? " VERB" : "")}{arguments} [options]";
    }

    private static string Placeholder(Argument argument) =>
        (argument.HelpName ?? argument.Name).ToUpperInvariant() + (argument.Arity.MaximumNumberOfValues > 1 ? "…" : "");

    private static string NamesOf(Option option)
    {
        string names = string.Join(
            ", ", option.Aliases.Where(alias => alias.StartsWith('-')).OrderBy(alias => alias.Length).Append(option.Name).Distinct());
        if (option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0) return names;
        string value = option.HelpName
            ?? (typeof(FileSystemInfo).IsAssignableFrom(option.ValueType) ? option.ValueType == typeof(FileInfo) ? "FILE" : "FOLDER"
            : option.ValueType.IsArray ? "FILE…" : IsNumber(option.ValueType) ? "N" : "VALUE");
        return $"{names} {value}";
    }

    private static bool IsNumber(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain && (plain == typeof(int) || plain == typeof(double));

    private static string DescriptionOf(Option option) => $"{option.Description}{(option.Required ? " Required." : "")}";

    private static IEnumerable<string> Row(string name, string? description, int width)
    {
        string[] lines = [.. Wrap(description ?? "", width - NameWidth - Indent)];
        string first = new string(' ', Indent) + name;
        bool fits = first.Length < NameWidth + Indent;
        yield return (fits ? first.PadRight(NameWidth + Indent) + lines.FirstOrDefault() : first).TrimEnd();
        foreach (string line in lines.Skip(fits ? 1 : 0)) yield return new string(' ', NameWidth + Indent) + line;
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        if (line.Length > 0) yield return line;
    }

    private static int WidthOfTerminal() =>
        Console.IsOutputRedirected ? 100 : Math.Clamp(Console.WindowWidth, MinWidth + NameWidth, MaxWidth);
}
