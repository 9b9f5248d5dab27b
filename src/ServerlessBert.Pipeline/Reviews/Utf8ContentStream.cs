using System.Text;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>What <see cref="ReviewContent.OpenAsUtf8"/> returns: gzip and UTF-16 undone, as the content's own first bytes ask for it.</summary>
internal sealed class Utf8ContentStream(Stream content, ReviewOptions options) : ReadOnlyStream
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
        return ReviewContent.IsUtf16LittleEndian(head.Span) ? Encoding.CreateTranscodingStream(source, Encoding.Unicode, Encoding.UTF8)
            : ReviewContent.IsUtf16BigEndian(head.Span) ? Encoding.CreateTranscodingStream(source, Encoding.BigEndianUnicode, Encoding.UTF8)
            : source;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) (_utf8 ?? content).Dispose();
        base.Dispose(disposing);
    }
}
