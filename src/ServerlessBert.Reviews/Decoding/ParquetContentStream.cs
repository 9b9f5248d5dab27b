using System.Buffers;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using ParquetSharp;
using ParquetSharp.IO;

namespace ServerlessBert.Reviews.Decoding;

/// <summary>A Parquet file's text, id and rating columns as JSON Lines, by Apache Arrow's own reader.</summary>
/// <remarks>
/// In memory at a time are the columns of one row group, compressed, and one decompressed page of each. The reader is native
/// code: everything of it is disposed before the stream that it calls back, in the order in which it depends on each other.
/// </remarks>
internal sealed partial class ParquetContentStream : ReadOnlyStream
{
    private const int WriteAtOnce = 64 * 1024;
    private const int FreeBytes = 16 * 1024 * 1024;

    // Columns and row groups of a file. Arrow walks nested columns by recursion: some 40,000 levels overflow a thread's stack.
    private const int MaxParts = 10_000;

    // Readable in the run's own copy, and shorter; it is a file that nothing pastes into HTML.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FaultNotingStream _content;
    private readonly bool _leaveOpen;
    private readonly ReviewOptions _options;
    private readonly ArrayBufferWriter<byte> _lines = new(WriteAtOnce * 2);
    private readonly List<ParquetCells> _cells = [];
    private ManagedRandomAccessFile? _file;
    private GCHandle _fileAlive;
    private ParquetFileReader? _reader;
    private ParquetColumns? _columns;
    private RowGroupReader? _group;
    private int _nextGroup;
    private long _rowsLeft;
    private int _served;
    private long _length;

    /// <summary>Reads a content that can seek.</summary>
    public ParquetContentStream(Stream content, ReviewOptions options, bool leaveOpen = false) =>
        (_content, _options, _leaveOpen) = (new FaultNotingStream(content), options, leaveOpen);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return ValueTask.FromResult(0);
        if (_served == _lines.WrittenCount && !TryFill(cancellationToken)) return ValueTask.FromResult(0);
        int length = Math.Min(buffer.Length, _lines.WrittenCount - _served);
        _lines.WrittenMemory.Slice(_served, length).CopyTo(buffer);
        _served += length;
        return ValueTask.FromResult(length);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseGroup();
            _reader?.Dispose();
            _file?.Dispose();
            if (_fileAlive.IsAllocated) _fileAlive.Free();
            if (!_leaveOpen) _content.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool TryFill(CancellationToken cancellationToken)
    {
        _lines.ResetWrittenCount();
        _served = 0;
        try
        {
            for (; _lines.WrittenCount < WriteAtOnce && HasRow(cancellationToken); _rowsLeft--) WriteRow();
        }
        catch (Exception exception) when (exception is not (ReviewFileException or OperationCanceledException))
        {
            // The library throws whatever its decoders stumble over; where reading the bytes did not fail, the bytes are at fault.
            _content.Fault?.Throw();
            throw Unreadable(exception);
        }
        _length += _lines.WrittenCount;
        if (_length > _options.MaxBytes) throw ReviewContent.TooLarge(_options);
        if (_length > FreeBytes && _length / _content.Length >= _options.MaxDecompressionRatio) throw TooDense();
        return _lines.WrittenCount > 0;
    }

    private void WriteRow()
    {
        using (var json = new Utf8JsonWriter(_lines, Json))
        {
            json.WriteStartObject();
            foreach (ParquetCells cells in _cells) cells.WriteNext(json);
            json.WriteEndObject();
        }
        _lines.Write("\n"u8);
    }

    private bool HasRow(CancellationToken cancellationToken)
    {
        if (_reader is null) Open();
        while (_rowsLeft == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            CloseGroup();
            if (_nextGroup == _reader!.FileMetaData.NumRowGroups) return false;
            _group = _reader.RowGroup(_nextGroup);
            _columns!.RequireRoom(_group, _nextGroup, _options);
            _columns.Open(_group, _cells);
            _rowsLeft = _group.MetaData.NumRows;
            _nextGroup++;
        }
        return true;
    }

    private void Open()
    {
        _file = new ManagedRandomAccessFile(_content, leaveOpen: true);
        // Kept from the collector until it is disposed of: native code that is finalized later would call back what is gone.
        _fileAlive = GCHandle.Alloc(_file);
        using ReaderProperties properties = ReaderProperties.GetDefaultReaderProperties();
        properties.SetThriftContainerSizeLimit(MaxParts);
        _reader = new ParquetFileReader(_file, properties);
        _columns = ParquetColumns.Find(_reader, _options);
    }

    private void CloseGroup()
    {
        foreach (ParquetCells cells in _cells) cells.Dispose();
        _cells.Clear();
        _group?.Dispose();
        _group = null;
    }

    private ReviewFileException Unreadable(Exception exception)
    {
        string reason = NativeMessage().Match(exception.Message) is { Success: true } native ? native.Groups[1].Value : exception.Message;
        if (reason.Contains("Exceeded size limit", StringComparison.Ordinal))
            return new("too_many_row_groups", string.Create(CultureInfo.InvariantCulture,
                $"The file has more than {MaxParts:N0} row groups or columns; write it with larger row groups."));
        string place = _nextGroup > 0 ? $" in row group {_nextGroup - 1}" : "";
        return new("damaged_parquet",
            $"The file is no Parquet file, or it is damaged{place} ({reason.Split('\n')[0].TrimEnd('.', '\r', ' ')}); write it "
                + $"again and drop it again.");
    }

    private ReviewFileException TooDense() => new("decompression_ratio", string.Create(CultureInfo.InvariantCulture,
        $"The file's {_content.Length:N0} bytes hold over {_options.MaxDecompressionRatio:N0} times as much text, as no reviews do; ")
        + "drop the reviews as JSON Lines or raise MaxDecompressionRatio.");

    // Arrow's exceptions come as "N7parquet16ParquetExceptionE (message: '…')".
    [GeneratedRegex(@"\(message: '([^\n]*?)(\n|'\)|$)")]
    private static partial Regex NativeMessage();
}

/// <summary>Passes reads on to a stream, and notes how one failed: so that storage's failure is not taken for the file's.</summary>
internal sealed class FaultNotingStream(Stream inner) : Stream
{
    /// <summary>What a read threw, or null.</summary>
    public ExceptionDispatchInfo? Fault { get; private set; }

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

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return inner.Read(buffer);
        }
        catch (Exception exception)
        {
            Fault = ExceptionDispatchInfo.Capture(exception);
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
