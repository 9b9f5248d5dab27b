using System.Xml.Linq;
using static ServerlessBert.Modeling.Numbers;

namespace ServerlessBert.Modeling;

/// <summary>The mistakes that it was surest of: often wrong labels, sarcasm, or what the data lacks.</summary>
internal static class WorstMistakes
{
    private const int Most = 12, LongestText = 420;

    public static XElement? Of(HeldOutPredictions heldOut)
    {
        var mistakes = heldOut.Reviews.Zip(heldOut.Probabilities)
            .Select(pair => (pair.First.Text, Actual: pair.First.Label, Said: Array.IndexOf(pair.Second, pair.Second.Max()), Confidence: pair.Second.Max()))
            .Where(mistake => mistake.Said != mistake.Actual)
            .OrderByDescending(mistake => mistake.Confidence).ThenByDescending(mistake => Math.Abs(mistake.Said - mistake.Actual))
            .Take(Most).ToArray();
        return mistakes.Length == 0 ? null : TrainingReport.Section("Its surest mistakes",
            Markup.Of("ol", ("class", "mistakes"), mistakes.Select(mistake => Markup.Of("li",
                Markup.Of("p", ("class", "what"), Markup.Of("b", $"said {Stars(mistake.Said)}"), $", is {Stars(mistake.Actual)}", Markup.Of("span", ("class", "quiet"), $" {Percent(mistake.Confidence)} sure")),
                Markup.Of("blockquote", Cut(mistake.Text))))));
    }

    private static string Cut(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= LongestText) return line;
        int end = line.LastIndexOf(' ', LongestText, 40);
        if (end < 0) end = char.IsHighSurrogate(line[LongestText - 1]) ? LongestText - 1 : LongestText;
        return line[..end] + " …";
    }
}
