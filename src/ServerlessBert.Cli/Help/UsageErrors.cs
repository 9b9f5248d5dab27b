using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace ServerlessBert.Cli.Help;

/// <summary>What is wrong with a command line, a sentence each: what, where, and what to do.</summary>
internal static partial class UsageErrors
{
    /// <summary>The sentences; none where the line can be obeyed.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        // A mistyped word makes other errors, which say nothing of it.
        string[] unknown = [.. UnknownOptions(parsed).Concat(UnknownWords(parsed, command))];
        if (unknown.Length > 0) return unknown;
        if (parsed.Errors.Count > 0 && command.Subcommands.Count > 0 && command.Action is null)
            return [$"{command.Typed()} needs one of its verbs: "
                + $"{Listed(command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name))}."];
        return [.. parsed.Errors.Select(Sentence).Distinct()];
    }

    /// <summary>
    /// Words that look like options but are none: a verb that takes text or files would take them for such. After <c>--</c> all is text.
    /// </summary>
    private static IEnumerable<string> UnknownOptions(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        IEnumerable<Token> before = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash);
        foreach (Token token in before.Where(token => token.Type == TokenType.Argument && OptionLike().IsMatch(token.Value)))
        {
            string name = token.Value.Split('=')[0];
            string? meant = Suggestions.Nearest(name, command.AllOptions().SelectMany(option => option.Aliases.Prepend(option.Name)));
            string advice = meant is not null ? $"; did you mean {meant}?" : $"; see {command.Typed()} --help.";
            string text = command.Arguments.Any(argument => argument.ValueType == typeof(string[]))
                ? " Text that begins with a dash is given after --." : "";
            yield return $"{name} is not an option of {command.Typed()}{advice}{text}";
        }
    }

    private static IEnumerable<string> UnknownWords(ParseResult parsed, Command command) => parsed.UnmatchedTokens
        .Where(word => !OptionLike().IsMatch(word)).Take(1).Select(word =>
        {
            if (command.Subcommands.Count == 0)
                return $"'{word}' is one word too many for {command.Typed()}; see {command.Typed()} --help.";
            IEnumerable<string> verbs = command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name);
            return $"'{word}' is not a verb of {command.Typed()}; "
                + (Suggestions.Nearest(word, verbs) is { } meant ? $"did you mean {meant}?" : $"its verbs are {Listed(verbs)}.");
        });

    private static string Sentence(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Tokens.Count: 0, Parent: OptionResult option } => NeedsValue(option),
        OptionResult { Implicit: false, Tokens.Count: 0 } option when error.Message.StartsWith(
            "Required argument", StringComparison.Ordinal) => NeedsValue(option),
        CommandResult command when error.Message.StartsWith("Required argument", StringComparison.Ordinal) => NeedsArgument(command),
        ArgumentResult { Parent: CommandResult command } when error.Message.StartsWith("Required argument", StringComparison.Ordinal) =>
            NeedsArgument(command),
        ArgumentResult { Tokens: [.., var token], Parent: OptionResult option } when error.Message.StartsWith(
            "Cannot parse", StringComparison.Ordinal) =>
            $"{NameOf(option)} is '{token.Value}', which cannot be read; {Lower(option.Option.Description)}",
        OptionResult option when error.Message.Contains("expects a single argument", StringComparison.Ordinal) =>
            $"{NameOf(option)} is given {option.IdentifierTokenCount} times; give it once.",
        ArgumentResult { Parent: OptionResult option } when error.Message.Contains("expects a single argument", StringComparison.Ordinal) =>
            $"{NameOf(option)} is given more than once; give it once.",
        OptionResult { Implicit: true } option => $"{option.Option.Name} is missing: {Lower(option.Option.Description)}",
        CommandResult command when MissingOption(command, error.Message) is { } option =>
            $"{option.Name} is missing: {Lower(option.Description)}",
        _ => error.Message,
    };

    private static Option? MissingOption(CommandResult command, string message) =>
        message.EndsWith("is required.", StringComparison.Ordinal)
            ? command.Command.Options.FirstOrDefault(option => message.Contains($"'{option.Name}'", StringComparison.Ordinal)) : null;

    private static string NeedsValue(OptionResult option) => $"{NameOf(option)} needs a value: {Lower(option.Option.Description)}";

    private static string NeedsArgument(CommandResult command)
    {
        Argument missing = command.Command.Arguments.First(argument => argument.Arity.MinimumNumberOfValues > 0);
        return $"{command.Command.Typed()} needs {missing.Name.ToUpperInvariant()}: {Lower(missing.Description)}";
    }

    private static string NameOf(OptionResult option) => option.IdentifierToken?.Value ?? option.Option.Name;

    private static string Listed(IEnumerable<string> words) => string.Join(", ", words);

    private static string Lower(string? description) =>
        string.IsNullOrEmpty(description) ? "see its help." : char.ToLowerInvariant(description[0]) + description[1..];

    [GeneratedRegex(@"^(--[A-Za-z].*|-[A-Za-z][A-Za-z0-9-]*)$", RegexOptions.Singleline)]
    private static partial Regex OptionLike();
}
