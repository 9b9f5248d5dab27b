using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>Decompresses gzip of one or more members (RFC 1952), and notices when some of it is missing.</summary>
/// <remarks>
/// .NET's <see cref="GZipStream"/> ignores what follows a member without being one, also a second member whose first byte is
/// damaged, and ends without an error where a file was cut short unless the whole process asks for strict validation: rows
/// would be lost in silence. So a member of our own is put behind the file's last byte, and its content, a random mark, must
/// come out last: only then was every byte before it understood. Zero bytes behind the last member are padding, as for gzip.
/// </remarks>
internal sealed class GunzipStream : ReadOnlyStream
{
    private const int FreeBytes = 16 * 1024 * 1024;
    private static readonly byte[] Mark = RandomNumberGenerator.GetBytes(16);

    private readonly CompressedSource _source;
    private readonly GZipStream _gzip;
    private readonly int _maxRatio;
    private readonly byte[] _held = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _isAtEnd;
    private long _length;

    /// <summary>Reads compressed bytes from a stream, which it owns.</summary>
    public GunzipStream(Stream compressed, ReviewOptions options)
    {
        _source = new CompressedSource(compressed, Compress(Mark));
        _gzip = new GZipStream(_source, CompressionMode.Decompress);
        _maxRatio = options.MaxDecompressionRatio;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (!_isAtEnd && _end - _start <= Mark.Length) await FillAsync(cancellationToken).ConfigureAwait(false);
        int length = Math.Min(buffer.Length, _end - _start - (_isAtEnd ? 0 : Mark.Length));
        _held.AsMemory(_start, length).CopyTo(buffer);
        _start += length;
        return length;
    }

    // Holds back as many bytes as the mark has: the last of them are not the file's.
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        _held.AsSpan(_start, _end - _start).CopyTo(_held);
        (_start, _end) = (0, _end - _start);
        int length;
        try
        {
            length = await _gzip.ReadAsync(_held.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            throw Damaged();
        }
        _end += length;
        _length += length;
        _isAtEnd = length == 0;
        if (_isAtEnd) TakeEnd();
        if (_length > FreeBytes && _length / Math.Max(1, _source.BytesRead) >= _maxRatio) throw TooDense();
    }

    private void TakeEnd()
    {
        if (_held.AsSpan(0, _end).EndsWith(Mark)) _end -= Mark.Length;
        else if (!_source.IsInPadding) throw Damaged();
    }

    private ReviewFileException Damaged() =>
        new("damaged_gzip",
            string.Create(CultureInfo.InvariantCulture,
            $"The file's gzip data is damaged or cut short, at or before byte {_source.BytesRead:N0} of the compressed file; "
                + $"compress the reviews again and drop the file again."));

    private ReviewFileException TooDense() =>
        new("decompression_ratio",
            string.Create(CultureInfo.InvariantCulture,
            $"The file's first {_source.BytesRead:N0} bytes decompress to {_length:N0}, over {_maxRatio:N0} times as many, as no "
                + $"text does; drop the reviews uncompressed or raise MaxDecompressionRatio."));

    private static byte[] Compress(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _gzip.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The file's bytes, counted, and then the last member.</summary>
    /// <remarks>
    /// Zeros at the file's end come one at a time, and the decompressor asks for the next only when it needs it: so it is
    /// known whether it stopped among them, behind a whole member, as it does where they are padding.
    /// </remarks>
    private sealed class CompressedSource(Stream compressed, byte[] lastMember) : ReadOnlyStream
    {
        private readonly byte[] _chunk = new byte[64 * 1024];
        private ReadOnlyMemory<byte> _unread;
        private ReadOnlyMemory<byte> _tail = lastMember;
        private long _zeros;
        private long _zerosBefore;
        private bool _isAtEnd;

        public long BytesRead { get; private set; }

        /// <summary>Whether a zero of the file's end was the last byte that was asked for.</summary>
        public bool IsInPadding { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty) return 0;
            while (_unread.IsEmpty && !_isAtEnd) await FillAsync(cancellationToken).ConfigureAwait(false);
            if (_unread.IsEmpty) return ReadEnd(buffer);
            if (_zerosBefore == 0) return Take(ref _unread, buffer);
            int zeros = (int)Math.Min(buffer.Length, _zerosBefore);
            buffer.Span[..zeros].Clear();
            _zerosBefore -= zeros;
            return zeros;
        }

        private async ValueTask FillAsync(CancellationToken cancellationToken)
        {
            int length = await compressed.ReadAsync(_chunk, cancellationToken).ConfigureAwait(false);
            BytesRead += length;
            _isAtEnd = length == 0;
            int end = _chunk.AsSpan(0, length).LastIndexOfAnyExcept((byte)0) + 1;
            if (end > 0) (_unread, _zerosBefore, _zeros) = (_chunk.AsMemory(0, end), _zeros, 0);
            _zeros += length - end;
        }

        private int ReadEnd(Memory<byte> buffer)
        {
            IsInPadding = _zeros > 0;
            if (!IsInPadding) return Take(ref _tail, buffer);
            _zeros--;
            buffer.Span[0] = 0;
            return 1;
        }

        private static int Take(ref ReadOnlyMemory<byte> bytes, Memory<byte> buffer)
        {
            int taken = Math.Min(buffer.Length, bytes.Length);
            bytes[..taken].CopyTo(buffer);
            bytes = bytes[taken..];
            return taken;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) compressed.Dispose();
            base.Dispose(disposing);
        }
    }
}
