using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>Decompresses gzip of one or more members (RFC 1952), and notices when some of it is missing.</summary>
/// <remarks>
/// .NET's <see cref="GZipStream"/> ends without an error where a file was cut short, and ignores what follows a member
/// without being one: rows would be lost in silence. So a member of our own is put behind the file's last byte, and
/// its content, a random mark, must come out last: only then was every byte before it understood.
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
        int length = Math.Min(buffer.Length, _end - _start - Mark.Length);
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
        if (_isAtEnd && !_held.AsSpan(0, _end).EndsWith(Mark)) throw Damaged();
        if (_length > FreeBytes && _length / Math.Max(1, _source.BytesRead) >= _maxRatio) throw TooDense();
    }

    private ReviewFileException Damaged() =>
        new("damaged_gzip", string.Create(CultureInfo.InvariantCulture, $"The file's gzip data is damaged or cut short, at or before byte {_source.BytesRead:N0} of the compressed file; compress the reviews again and drop the file again."));

    private ReviewFileException TooDense() =>
        new("decompression_ratio", string.Create(CultureInfo.InvariantCulture, $"The file's first {_source.BytesRead:N0} bytes decompress to {_length:N0}, over {_maxRatio:N0} times as many, as no text does; drop the reviews uncompressed or raise MaxDecompressionRatio."));

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
    private sealed class CompressedSource(Stream compressed, byte[] lastMember) : ReadOnlyStream
    {
        private ReadOnlyMemory<byte>? _tail;

        public long BytesRead { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_tail is null)
            {
                int length = await compressed.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                BytesRead += length;
                if (length > 0 || buffer.IsEmpty) return length;
                _tail = lastMember;
            }
            ReadOnlyMemory<byte> tail = _tail.Value;
            int taken = Math.Min(buffer.Length, tail.Length);
            tail[..taken].CopyTo(buffer);
            _tail = tail[taken..];
            return taken;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) compressed.Dispose();
            base.Dispose(disposing);
        }
    }
}
