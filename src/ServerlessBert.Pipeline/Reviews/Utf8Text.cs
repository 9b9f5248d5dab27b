using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Decodes UTF-8 that may be damaged.</summary>
internal static class Utf8Text
{
    /// <summary>The text, each malformed sequence as one U+FFFD (the Unicode standard's "maximal subpart" practice), and how many there were.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes, out int invalid)
    {
        invalid = Utf8.IsValid(bytes) ? 0 : CountInvalid(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>How many malformed sequences the bytes hold.</summary>
    public static int CountInvalid(ReadOnlySpan<byte> bytes)
    {
        int invalid = 0;
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out _, out int consumed) != OperationStatus.Done) invalid++;
            bytes = bytes[consumed..];
        }
        return invalid;
    }
}
