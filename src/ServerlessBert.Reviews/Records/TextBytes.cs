using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ServerlessBert.Reviews.Records;

/// <summary>Decodes the bytes of records: UTF-8 that may be damaged, or Windows-1252.</summary>
internal static class TextBytes
{
    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>
    /// The text, each malformed sequence as one U+FFFD (the Unicode standard's "maximal subpart" practice), and how many there
    /// were.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> bytes, string? encoding, out int invalid)
    {
        invalid = 0;
        if (encoding is not null) return EncodingOf(encoding).GetString(bytes);
        invalid = Utf8.IsValid(bytes) ? 0 : CountInvalid(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The same as well-formed UTF-8; the very same bytes where they are.</summary>
    public static ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> bytes, string? encoding, out int invalid)
    {
        invalid = 0;
        bool isUtf8 = encoding is null ? Utf8.IsValid(bytes.Span) : Ascii.IsValid(bytes.Span);
        return isUtf8 ? bytes : Encoding.UTF8.GetBytes(Decode(bytes.Span, encoding, out invalid));
    }

    private static Encoding EncodingOf(string name) => name == ReviewLayout.Windows1252
        ? Windows1252
        : throw new ArgumentException(
            $"The layout's encoding is '{name}'; only '{ReviewLayout.Windows1252}' is read in place.", nameof(name));

    private static int CountInvalid(ReadOnlySpan<byte> bytes)
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

/// <summary>
/// Finds out from all bytes of a content whether they are UTF-8 or Windows-1252, the two that files without a mark are in.
/// </summary>
internal struct EncodingGuess()
{
    private readonly byte[] _rest = new byte[3];
    private int _restLength;
    private long _sequences;
    private long _strays;
    private long _undefined;

    /// <summary>
    /// Windows-1252, or null for UTF-8: the former where more bytes stand alone than belong to sequences of UTF-8, and all of
    /// them are characters. A sequence that is cut short is UTF-8 that was cut, not three strange letters in a row.
    /// </summary>
    public readonly string? Encoding => _strays > _sequences && _undefined == 0 ? ReviewLayout.Windows1252 : null;

    /// <summary>Takes the next bytes.</summary>
    public void Push(ReadOnlySpan<byte> bytes)
    {
        Span<byte> joined = stackalloc byte[4];
        while (_restLength > 0 && !bytes.IsEmpty)
        {
            _rest.AsSpan(0, _restLength).CopyTo(joined);
            joined[_restLength] = bytes[0];
            OperationStatus status = Rune.DecodeFromUtf8(joined[..(_restLength + 1)], out _, out int consumed);
            if (status == OperationStatus.NeedMoreData)
            {
                _rest[_restLength++] = bytes[0];
                bytes = bytes[1..];
                continue;
            }
            Count(joined[..consumed], status == OperationStatus.Done);
            if (consumed > _restLength) bytes = bytes[1..];
            _restLength = 0;
        }
        while (!bytes.IsEmpty)
        {
            int ascii = bytes.IndexOfAnyExceptInRange((byte)0, (byte)127);
            if (ascii < 0) return;
            bytes = bytes[ascii..];
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out _, out int consumed);
            if (status == OperationStatus.NeedMoreData)
            {
                bytes.CopyTo(_rest);
                _restLength = bytes.Length;
                return;
            }
            Count(bytes[..consumed], status == OperationStatus.Done);
            bytes = bytes[consumed..];
        }
    }

    /// <summary>There are no more bytes.</summary>
    public void Finish()
    {
        if (_restLength > 0) Count(_rest.AsSpan(0, _restLength), isWhole: false);
        _restLength = 0;
    }

    private void Count(ReadOnlySpan<byte> sequence, bool isWhole)
    {
        if (isWhole || sequence.Length > 1) _sequences++;
        else _strays++;
        // The five bytes without a character, and two that no text has so often as damaged ones do: FF FE is UTF-16's mark.
        if (!isWhole && sequence[0] is 0x81 or 0x8d or 0x8f or 0x90 or 0x9d or 0xff) _undefined++;
    }
}
