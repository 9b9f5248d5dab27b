using System.Text.RegularExpressions;

namespace ServerlessBert.Infrastructure.Tests;

/// <summary>One instruction: its word and what it says.</summary>
internal sealed record Instruction(string Word, string Text);

/// <summary>A Dockerfile's instructions in their order, continued lines joined, comments left out.</summary>
internal sealed class Dockerfile
{
    private Dockerfile(string name, IReadOnlyList<Instruction> instructions) => (Name, Instructions) = (name, instructions);

    public string Name { get; }

    public IReadOnlyList<Instruction> Instructions { get; }

    /// <summary>The stage that the image is made of.</summary>
    public IReadOnlyList<Instruction> FinalStage =>
        [.. Instructions.Skip(Instructions.ToList().FindLastIndex(instruction => instruction.Word == "FROM"))];

    public static Dockerfile Read(string service)
    {
        string text = Regex.Replace(Repository.Read("infra", $"{service}.Dockerfile"), @"^\s*#.*\n", "", RegexOptions.Multiline);
        var lines = Regex.Replace(text, @"\\\n\s*", "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new Dockerfile(
            service, [.. lines.Select(line => line.Split(' ', 2))
            .Select(parts => new Instruction(parts[0], parts.ElementAtOrDefault(1) ?? ""))]);
    }

    /// <summary>What an instruction of a kind says, each time it is there.</summary>
    public IEnumerable<string> All(string word) => Of(Instructions, word);

    public static IEnumerable<string> Of(IEnumerable<Instruction> instructions, string word) =>
        instructions.Where(instruction => instruction.Word == word).Select(instruction => instruction.Text);
}
