using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Makes a line readable for a strict JSON reader without losing it: damaged characters become U+FFFD.</summary>
internal static class JsonRepair
{
    /// <summary>
    /// The line with malformed UTF-8 and unpaired surrogate escapes replaced, and how many there were; the very same
    /// bytes when there were none. Writers that cut text at a number of UTF-16 units leave such escapes (<c>\ud83d"</c>).
    /// </summary>
    public static ReadOnlySpan<byte> Repair(ReadOnlySpan<byte> json, out int replaced)
    {
        replaced = 0;
        if (!Utf8.IsValid(json)) json = Encoding.UTF8.GetBytes(Utf8Text.Decode(json, out replaced));
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0) return json;

        byte[] repaired = json.ToArray();
        int unpaired = ReplaceUnpaired(repaired);
        replaced += unpaired;
        return unpaired == 0 ? json : repaired;
    }

    // Replaces in place: \ufffd is as long as the escape it stands for.
    private static int ReplaceUnpaired(Span<byte> json)
    {
        int replaced = 0;
        int at = 0;
        while (json[at..].IndexOf((byte)'\\') is var step and >= 0)
        {
            at += step;
            if (UnitAt(json, at) is not { } unit)
            {
                at = Math.Min(at + 2, json.Length); // a short escape, an escaped backslash among them
                continue;
            }
            bool isPair = char.IsHighSurrogate(unit) && UnitAt(json, at + 6) is { } next && char.IsLowSurrogate(next);
            if (char.IsSurrogate(unit) && !isPair)
            {
                "\\ufffd"u8.CopyTo(json[at..]);
                replaced++;
            }
            at += isPair ? 12 : 6;
        }
        return replaced;
    }

    /// <summary>The UTF-16 unit that an escape at this place writes, or null.</summary>
    private static char? UnitAt(ReadOnlySpan<byte> json, int at) =>
        json.Length >= at + 6 && json[at] == '\\' && json[at + 1] == 'u'
        && ushort.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit)
            ? (char)unit
            : null;
}
