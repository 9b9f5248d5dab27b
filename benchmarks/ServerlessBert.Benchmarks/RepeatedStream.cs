namespace ServerlessBert.Benchmarks;

/// <summary>A head, then a block over and over, until at least so many bytes are read: a large file without a disk's speed in it.</summary>
internal sealed class RepeatedStream(byte[] head, byte[] block, long length) : MemoryStream
{
    private readonly long _length = head.Length + ((length - head.Length + block.Length - 1) / block.Length * block.Length);
    private long _position;

    public override long Length => _length;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int filled = 0;
        while (filled < buffer.Length && _position < _length)
        {
            ReadOnlySpan<byte> rest = _position < head.Length ? head.AsSpan((int)_position)
                : block.AsSpan((int)((_position - head.Length) % block.Length));
            int count = Math.Min(rest.Length, buffer.Length - filled);
            rest[..count].CopyTo(buffer.Span[filled..]);
            filled += count;
            _position += count;
        }
        return ValueTask.FromResult(filled);
    }
}
