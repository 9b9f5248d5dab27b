using System.Globalization;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>A JSON array as JSON Lines, an item a line, without parsing the items: memory does not grow with the array.</summary>
/// <remarks>
/// Only what tells where an item ends is looked at: strings, and how deep the brackets are. Line breaks between tokens
/// become spaces. What follows the array passes as it is, so that lines of which the first is an array stay lines.
/// </remarks>
internal sealed class JsonArrayStream(Stream json) : ReadOnlyStream
{
    private int _depth;
    private bool _isString;
    private bool _isEscaped;
    private bool _isPast;
    private long _length;

    /// <summary>Whether a content's first bytes begin an array.</summary>
    public static bool Begins(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        return head.TrimStart(" \t\r\n"u8).StartsWith("["u8);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int length = await json.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (length == 0 && !buffer.IsEmpty && !_isPast)
            throw new ReviewFileException("damaged_json", string.Create(CultureInfo.InvariantCulture,
                $"The file is a JSON array that is cut short at byte {_length:N0}; write it again and drop it again."));
        _length += length;
        Rewrite(buffer.Span[..length]);
        return length;
    }

    // Byte for byte, so that a row's place is its place in the file.
    private void Rewrite(Span<byte> bytes)
    {
        for (int at = 0; at < bytes.Length && !_isPast; at++)
        {
            byte unit = bytes[at];
            if (_isString)
            {
                _isString = _isEscaped || unit != '"';
                _isEscaped = !_isEscaped && unit == '\\';
                continue;
            }
            if (unit == '"') _isString = true;
            else if (unit is (byte)'\r' or (byte)'\n') bytes[at] = (byte)' ';
            else if (unit == ',' && _depth == 1) bytes[at] = (byte)'\n';
            else if (unit is (byte)'[' or (byte)'{' && _depth++ == 0) bytes[at] = (byte)' ';
            else if (unit is (byte)']' or (byte)'}' && --_depth == 0) (bytes[at], _isPast) = ((byte)'\n', true);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) json.Dispose();
        base.Dispose(disposing);
    }
}
