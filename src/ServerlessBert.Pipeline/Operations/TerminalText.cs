using System.Globalization;
using System.Text;

namespace ServerlessBert.Pipeline.Operations;

/// <summary>
/// Text of others on a terminal. A control character in a blob's name, a message or an error can move the cursor, change colours or
/// hide what stands beside it, and so can characters that turn the direction of reading: they are shown as escapes instead.
/// </summary>
public static class TerminalText
{
    /// <summary>The text on one line, with everything escaped that a terminal would obey.</summary>
    /// <param name="text">Any text; null gives an empty one.</param>
    public static string Escape(string? text)
    {
        if (text is null) return "";
        if (!text.Any(IsObeyed)) return text;
        var escaped = new StringBuilder(text.Length + 16);
        foreach (char character in text)
        {
            if (!IsObeyed(character)) escaped.Append(character);
            else escaped.Append(character switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => $"\\u{(int)character:x4}" });
        }
        return escaped.ToString();
    }

    private static bool IsObeyed(char character) =>
        char.IsControl(character)
        || char.GetUnicodeCategory(character) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || character is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u200e' or '\u200f' or '\u061c';
}
