namespace ServerlessBert.Pipeline.Reviews;

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
