using System.CommandLine;

namespace ServerlessBert.Cli.Help;

/// <summary>What a verb is called.</summary>
internal static class VerbNames
{
    /// <summary>Its words after <c>sbert</c>, such as <c>models pull</c>; empty for sbert itself.</summary>
    public static string Words(this Command command)
    {
        var words = new Stack<string>();
        for (Symbol? symbol = command; symbol is not (null or RootCommand); symbol = symbol.Parents.FirstOrDefault()) words.Push(
            symbol.Name);
        return string.Join(' ', words);
    }

    /// <summary>As it is typed: <c>sbert models pull</c>.</summary>
    public static string Typed(this Command command) => $"sbert {command.Words()}".TrimEnd();

    /// <summary>Its options and those that every verb has, without hidden ones.</summary>
    public static IEnumerable<Option> AllOptions(this Command command)
    {
        IEnumerable<Option> inherited = command.Parents.OfType<Command>().SelectMany(AllOptions).Where(option => option.Recursive);
        return command.Options.Concat(inherited).Where(option => !option.Hidden);
    }
}
