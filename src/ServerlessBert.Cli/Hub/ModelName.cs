using System.Text.RegularExpressions;

namespace ServerlessBert.Cli.Hub;

/// <summary>A model's name on the hub: <c>owner/name</c>, or <c>name</c> for the oldest ones.</summary>
/// <param name="Owner">The user or organisation, or none.</param>
/// <param name="Name">The last part; never a path.</param>
internal sealed partial record ModelName(string? Owner, string Name)
{
    /// <summary>Reads a name by the hub's own rules: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, at most 96 of them.</summary>
    /// <exception cref="UsageException">It is no such name.</exception>
    public static ModelName Parse(string text)
    {
        Match match = Form().Match(text);
        return match.Success && !text.Contains("--", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal)
            ? new ModelName(match.Groups["owner"] is { Success: true, Value: var owner } ? owner : null, match.Groups["name"].Value)
            : throw new UsageException($"'{text}' is not a model's name; give owner/name or name, as the hub's page shows it (google-bert/bert-base-cased).");
    }

    /// <summary>As the hub writes it.</summary>
    public override string ToString() => Owner is null ? Name : $"{Owner}/{Name}";

    // Each part begins and ends with a letter, a digit or an underscore.
    [GeneratedRegex(@"\A((?<owner>[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?)/)?(?<name>[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
