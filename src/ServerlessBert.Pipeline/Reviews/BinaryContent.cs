using System.Buffers;
using System.Globalization;
using System.Text;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Tells a file that is no text from its head.</summary>
internal static class BinaryContent
{
    /// <summary>How much of the head is looked at: enough for a judgement, little enough to be free.</summary>
    public const int HeadBytes = 64 * 1024;

    // Latin-1 in a European language has one byte in ten that is not UTF-8, and such a file is read, its bytes
    // replaced and counted. Compressed or encrypted bytes are bad in more than one of two.
    private const double BadShare = 0.3;
    private const int FewestBad = 32;

    /// <summary>Refuses a head with a NUL, or with too much that is neither UTF-8 nor printable.</summary>
    /// <exception cref="ReviewFileException"><c>binary_file</c>.</exception>
    public static void Refuse(ReadOnlySpan<byte> head)
    {
        int nul = head.IndexOf((byte)0);
        if (nul >= 0) throw Binary(string.Create(CultureInfo.InvariantCulture, $"has a NUL byte at byte {nul:N0}"));

        int bad = CountBad(head);
        if (bad > FewestBad && bad > head.Length * BadShare)
            throw Binary(string.Create(CultureInfo.InvariantCulture, $"has {bad:N0} sequences in its first {head.Length:N0} bytes that are not UTF-8 text"));
    }

    private static int CountBad(ReadOnlySpan<byte> head)
    {
        int bad = 0;
        while (!head.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(head, out Rune rune, out int consumed) == OperationStatus.Done
                && (!Rune.IsControl(rune) || Rune.IsWhiteSpace(rune));
            if (!isText) bad++;
            head = head[consumed..];
        }
        return bad;
    }

    private static ReviewFileException Binary(string found) =>
        new("binary_file", $"The file {found}, so it is binary or in another encoding; save the reviews as UTF-8 text, or UTF-16 with a byte order mark.");
}
