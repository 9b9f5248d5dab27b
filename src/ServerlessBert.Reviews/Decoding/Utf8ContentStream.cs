using System.Text;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>
/// What <see cref="ReviewContent"/> opens for all forms but Parquet: gzip, UTF-16 and JSON arrays undone, as the content's own
/// first bytes ask for it.
/// </summary>
internal sealed class Utf8ContentStream(Stream content, bool isJson, ReviewOptions options, bool leaveOpen) : ReadOnlyStream
{
    private Stream? _utf8;
    private long _length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _utf8 ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
        int length = await _utf8.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _length += length;
        return _length <= options.MaxBytes ? length : throw ReviewContent.TooLarge(options);
    }

    private async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var source = new PeekedStream(content);
        ReadOnlyMemory<byte> head = await source.PeekAsync(ReviewContent.MagicBytes, cancellationToken).ConfigureAwait(false);
        if (ReviewContent.IsGzip(head.Span))
        {
            source = new PeekedStream(new GunzipStream(source, options));
            head = await source.PeekAsync(ReviewContent.MagicBytes, cancellationToken).ConfigureAwait(false);
        }
        Encoding? utf16 = ReviewContent.IsUtf16LittleEndian(head.Span) ? Encoding.Unicode : ReviewContent.IsUtf16BigEndian(head.Span)
            ? Encoding.BigEndianUnicode : null;
        if (utf16 is not null)
        {
            source = new PeekedStream(Encoding.CreateTranscodingStream(source, utf16, Encoding.UTF8));
            if (isJson) head = await source.PeekAsync(ReviewContent.MagicBytes, cancellationToken).ConfigureAwait(false);
        }
        return isJson && JsonArrayStream.Begins(head.Span) ? new JsonArrayStream(source) : source;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen) (_utf8 ?? content).Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A stream whose first bytes can be looked at before they are read.</summary>
internal sealed class PeekedStream(Stream inner) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _peeked;

    /// <summary>The next bytes, fewer only at the end, which stay to be read. Called once, before the first read.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken)
    {
        byte[] head = new byte[count];
        int length = await inner.ReadAtLeastAsync(head, count, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return _peeked = head.AsMemory(0, length);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_peeked.IsEmpty) return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        int length = Math.Min(buffer.Length, _peeked.Length);
        _peeked[..length].CopyTo(buffer);
        _peeked = _peeked[length..];
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A stream that is read forward and asynchronously, and nothing else.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
