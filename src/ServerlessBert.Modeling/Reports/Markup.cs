using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace ServerlessBert.Modeling;

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
