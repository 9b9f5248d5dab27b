using System.Globalization;
using System.Xml.Linq;
using static ServerlessBert.Modeling.Numbers;

namespace ServerlessBert.Modeling;

/// <summary>How often each rating is in the data.</summary>
internal static class DataSection
{
    public static XElement? Of(IReadOnlyList<LabelCounts> data)
    {
        LabelCounts[] parts = [.. data.Where(part => part.Counts.Sum() > 0)];
        return parts.Length == 0 ? null : TrainingReport.Section("The data", Markup.Of("div", ("class", "pair"), parts.Select(Bars)));
    }

    private static XElement Heads() => Markup.Of("tr",
        Markup.Of("th", ("scope", "col"), "stars"), Markup.Of("th", ("scope", "col"), ("class", "number"), "reviews"), Markup.Of("th", ("scope", "col"), "share"));

    private static XElement Bars(LabelCounts part)
    {
        double all = part.Counts.Sum(), most = part.Counts.Max();
        return Markup.Table($"Reviews {part.Name}: {Count((long)all)}", Heads(), part.Counts.Select((count, label) => Markup.Of("tr",
            Markup.Of("th", ("scope", "row"), Stars(label)),
            Markup.Of("td", ("class", "number"), Count(count)),
            Markup.Of("td", ("class", "bar"), ("style", $"--share:{(count / most).ToString("0.###", CultureInfo.InvariantCulture)}"), Markup.Of("span", Percent(count / all))))));
    }
}
