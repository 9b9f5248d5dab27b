using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Parquet;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>A Parquet file's text, id and rating columns as JSON Lines, a row group in memory at a time; by Parquet.Net.</summary>
internal sealed class ParquetContentStream : ReadOnlyStream
{
    private const int WriteAtOnce = 64 * 1024;
    private const int FreeBytes = 16 * 1024 * 1024;

    // Readable in the run's own copy, and shorter; it is a file that nothing pastes into HTML.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FaultNotingStream _content;
    private readonly ReviewOptions _options;
    private readonly ArrayBufferWriter<byte> _lines = new(WriteAtOnce * 2);
    private ParquetReader? _reader;
    private ParquetColumns? _columns;
    private int _nextGroup;
    private IReadOnlyList<ParquetColumn> _group = [];
    private int _row;
    private int _rows;
    private int _served;
    private long _length;

    /// <summary>Reads a content that can seek, and owns it.</summary>
    public ParquetContentStream(Stream content, ReviewOptions options) => (_content, _options) = (new FaultNotingStream(content), options);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        if (_served == _lines.WrittenCount && !await FillAsync(cancellationToken).ConfigureAwait(false)) return 0;
        int length = Math.Min(buffer.Length, _lines.WrittenCount - _served);
        _lines.WrittenMemory.Slice(_served, length).CopyTo(buffer);
        _served += length;
        return length;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_reader is not null) await _reader.DisposeAsync().ConfigureAwait(false);
        await _content.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _content.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _lines.ResetWrittenCount();
        _served = 0;
        while (_row == _rows)
        {
            if (!await NextGroupAsync(cancellationToken).ConfigureAwait(false)) return false;
        }
        while (_row < _rows && _lines.WrittenCount < WriteAtOnce) Write(_row++);
        _length += _lines.WrittenCount;
        if (_length > _options.MaxBytes) throw ReviewContent.TooLarge(_options);
        if (_length > FreeBytes && _length / _content.Length >= _options.MaxDecompressionRatio) throw TooDense();
        return true;
    }

    private void Write(int row)
    {
        using (var json = new Utf8JsonWriter(_lines, Json))
        {
            json.WriteStartObject();
            foreach (ParquetColumn column in _group)
            {
                if (column.Cells[row] is { } cell) json.WriteString(column.Name, cell);
            }
            json.WriteEndObject();
        }
        _lines.Write("\n"u8);
    }

    private async Task<bool> NextGroupAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_reader is null) await ParquetFooter.CheckAsync(_content, cancellationToken).ConfigureAwait(false);
            _reader ??= await ParquetReader.CreateAsync(_content, new ParquetOptions { TreatByteArrayAsString = true }, leaveStreamOpen: true, cancellationToken).ConfigureAwait(false);
            _columns ??= ParquetColumns.Of(_reader, _options);
            if (_nextGroup == _reader.RowGroupCount) return false;
            using ParquetRowGroupReader group = _reader.OpenRowGroupReader(_nextGroup);
            _columns.RequireRoom(group, _nextGroup, _options);
            _group = await _columns.ReadAsync(group, cancellationToken).ConfigureAwait(false);
            (_row, _rows) = (0, checked((int)group.RowCount));
            _nextGroup++;
            return true;
        }
        catch (Exception exception) when (exception is not ReviewFileException && !cancellationToken.IsCancellationRequested && !_content.HasFailed)
        {
            // The library throws whatever its decoders stumble over; where reading the bytes did not fail, the bytes are at fault.
            throw new ReviewFileException("damaged_parquet", $"The file is no Parquet file, or it is damaged{(_nextGroup > 0 || _columns is not null ? $" in row group {_nextGroup}" : "")} ({exception.Message.Split('\n')[0].TrimEnd('.', '\r')}); write it again and drop it again.");
        }
    }

    private ReviewFileException TooDense() =>
        new("decompression_ratio", string.Create(CultureInfo.InvariantCulture, $"The file's {_content.Length:N0} bytes hold over {_options.MaxDecompressionRatio:N0} times as much text, as no reviews do; drop the reviews as JSON Lines or raise MaxDecompressionRatio."));
}

/// <summary>Passes everything on to a stream, and notes when reading it failed: so that storage's failure is not taken for the file's.</summary>
internal sealed class FaultNotingStream(Stream inner) : Stream
{
    /// <summary>Whether a read threw.</summary>
    public bool HasFailed { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => inner.CanSeek;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            HasFailed = true;
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            return inner.Read(buffer, offset, count);
        }
        catch
        {
            HasFailed = true;
            throw;
        }
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
