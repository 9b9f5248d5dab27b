using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace ServerlessBert.Modeling.Reports;

/// <summary>HTML and SVG elements as <see cref="XElement"/>s, which escape what they hold and are always well-formed.</summary>
internal static class Markup
{
    // These alone may stand as <x />; any other empty element must have an end tag to be HTML.
    private static readonly HashSet<string> Void = ["meta", "br", "line", "rect", "circle", "path", "polyline", "polygon"];

    /// <summary>An element.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">Attributes as pairs of name and value; texts, elements and sequences of elements; null is left out.</param>
    public static XElement Of(string name, params object?[] content)
    {
        var element = new XElement(name);
        foreach (object? each in content)
        {
            if (each is (string key, string value)) element.SetAttributeValue(key, Clean(value));
            else element.Add(each is string text ? Clean(text) : each);
        }
        if (element.IsEmpty && !Void.Contains(name)) element.Add("");
        return element;
    }

    /// <summary>A table's row of heads.</summary>
    public static XElement Heads(params string[] texts) =>
        Of("tr", texts.Select((text, column) => Of("th", ("scope", "col"), column > 0 ? ("class", "number") : null, text)));

    /// <summary>A table with a caption, in a box that scrolls sideways where the screen is too narrow.</summary>
    public static XElement Table(string caption, XElement heads, IEnumerable<XElement> rows) =>
        Of("div", ("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption),
            Of("table", Of("caption", caption), Of("thead", heads), Of("tbody", rows)));

    /// <summary>A row: a head, then numbers.</summary>
    public static XElement Row(string head, params string[] numbers) =>
        Of("tr", Of("th", ("scope", "row"), head), numbers.Select(number => Of("td", ("class", "number"), number)));

    /// <summary>The page's text.</summary>
    public static string Document(XElement html) => "<!DOCTYPE html>\n" + html.ToString(SaveOptions.DisableFormatting) + "\n";

    /// <summary>Texts may hold characters that no markup can; they become U+FFFD.</summary>
    private static string Clean(string text)
    {
        try
        {
            return XmlConvert.VerifyXmlChars(text);
        }
        catch (XmlException)
        {
            var clean = new StringBuilder(text.Length);
            foreach (Rune rune in text.EnumerateRunes())
                clean.Append(rune.Value > char.MaxValue || XmlConvert.IsXmlChar((char)rune.Value) ? rune.ToString() : "\uFFFD");
            return clean.ToString();
        }
    }
}

/// <summary>Numbers as a report writes them: with points, whatever the machine's language.</summary>
internal static class Numbers
{
    /// <summary>57.2 %, with a space that does not break.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0}\u00A0%");

    /// <summary>Three decimals.</summary>
    public static string Three(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>12,345.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Any size in few digits: 1,250, 0.35, 5e-5.</summary>
    public static string Short(double value) => value switch
    {
        0 => "0",
        _ when Math.Abs(value) < 0.001 => value.ToString("0.##e-0", CultureInfo.InvariantCulture),
        _ when Math.Abs(value) >= 1000 => value.ToString("#,0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>1 h 02 min, 3 min 20 s, 4.2 s.</summary>
    public static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(seconds);
        return time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min")
            : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
    }

    /// <summary>★★★.</summary>
    public static string Stars(int label) => string.Create(CultureInfo.InvariantCulture, $"{label + 1}★");

    /// <summary>A coordinate of a drawing.</summary>
    public static string Coordinate(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
