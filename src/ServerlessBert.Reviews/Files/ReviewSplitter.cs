using System.Buffers;
using System.Globalization;
using System.Text;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Files;

/// <summary>Finds record boundaries in one pass and cuts a file into batches, without parsing the records.</summary>
public static class ReviewSplitter
{
    // Large enough that a read's cost vanishes, small enough to stay in a core's second-level cache.
    private const int ReadBytes = 256 * 1024;

    /// <summary>
    /// Reads the content, UTF-8 or Windows-1252, once to its end. Memory does not grow with the file, but for its batches.
    /// </summary>
    /// <remarks>
    /// Blank lines are no rows, and a line break at the end makes none; a file of nothing else has a plan of 0 rows.
    /// A record over <see cref="ReviewOptions.MaxRecordBytes"/>, or with a quote that is never closed, is a batch of
    /// its own with its error set, so that nobody needs its bytes.
    /// </remarks>
    /// <exception cref="ReviewFileException"><c>empty_file</c>, <c>binary_file</c>, <c>unknown_encoding</c>, <c>no_text_column</c>,
    /// <c>header_too_long</c>, <c>unclosed_quote</c> (in a header), <c>too_many_rows</c>, <c>too_many_batches</c> or
    /// <c>too_large</c>; and what reading the content throws.</exception>
    public static async Task<ReviewFilePlan> SplitAsync(
        Stream content, ReviewFormat format, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            int length = await content.ReadAtLeastAsync(buffer, BinaryContent.HeadBytes, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
            int bom = buffer.AsSpan(0, length).StartsWith("\uFEFF"u8) ? 3 : 0;
            if (length == bom) throw new ReviewFileException("empty_file", "The file is empty; write reviews into it and drop it again.");
            ReadOnlyMemory<byte> head = buffer.AsMemory(0, Math.Min(length, BinaryContent.HeadBytes));
            BinaryContent.Refuse(head.Span);

            var splitting = new Splitting(format, options, head.Span[bom..], bom);
            splitting.Push(buffer.AsSpan(bom, length - bom));
            while ((length = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                splitting.Push(buffer.AsSpan(0, length));
            return splitting.Finish();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class Splitting
    {
        private readonly ReviewFormat _format;
        private readonly ReviewOptions _options;
        private readonly BatchPlanner _batches;
        private readonly ArrayBufferWriter<byte> _header = new();
        private readonly DelimitedDialect? _dialect;
        private readonly bool _hasMark;
        private EncodingGuess _encoding = new();
        private RecordScanner _scanner;
        private ReviewLayout? _layout;
        private long _length;
        private int _skipped;

        public Splitting(ReviewFormat format, ReviewOptions options, ReadOnlySpan<byte> head, int markBytes)
        {
            (_format, _options, _batches, _hasMark, _length) = (format, options, new BatchPlanner(options), markBytes > 0, markBytes);
            if (format is ReviewFormat.Csv or ReviewFormat.Tsv) (_dialect, _skipped) = DialectGuess.Make(head, format, options);
            else _layout = new ReviewLayout { Format = format };
            _scanner = new RecordScanner(RecordGrammar.Of(format, _dialect), markBytes + _skipped);
        }

        public void Push(ReadOnlySpan<byte> bytes)
        {
            _encoding.Push(bytes);
            int skipped = Math.Min(_skipped, bytes.Length);
            bytes = bytes[skipped..];
            _skipped -= skipped;
            _length += skipped;
            ReadOnlySpan<byte> rest = bytes;
            if (_layout is not null || TryReadLayout(ref rest))
            {
                while (_scanner.TryRead(ref rest, out RecordRange record)) Add(record);
            }
            _length += bytes.Length;
            if (_length > _options.MaxBytes) throw ReviewContent.TooLarge(_options);
        }

        public ReviewFilePlan Finish()
        {
            if (_scanner.TryFinish(out RecordRange last))
            {
                if (_layout is null) ReadLayout(last);
                else Add(last);
            }
            _encoding.Finish();
            ReviewLayout layout = _layout ?? new ReviewLayout { Format = _format };
            return new ReviewFilePlan(layout with { Encoding = EncodingOf(_options.Encoding) }, _batches.Finish(), _batches.Rows, _length);
        }

        // The only record that is kept: it may come in pieces.
        private bool TryReadLayout(ref ReadOnlySpan<byte> rest)
        {
            ReadOnlySpan<byte> bytes = rest;
            bool isWhole = _scanner.TryRead(ref rest, out RecordRange first);
            long from = isWhole ? first.Start : _scanner.RecordStart;
            long to = isWhole ? first.Start + first.Length : _length + bytes.Length;
            if (from >= _length) _header.ResetWrittenCount();
            if (to > _length) _header.Write(bytes[(int)Math.Max(0, from - _length)..(int)(to - _length)]);
            if (_header.WrittenCount > _options.MaxRecordBytes)
                throw new ReviewFileException(
                    "header_too_long",
                    string.Create(CultureInfo.InvariantCulture,
                    $"The file's first record is longer than {_options.MaxRecordBytes:N0} bytes, so its columns are unknown; give "
                        + $"it a header line, or close the quote that it opens."));
            if (isWhole) ReadLayout(first);
            return isWhole;
        }

        private void ReadLayout(RecordRange first)
        {
            if (first.OpenQuote is { } quote)
                throw new ReviewFileException(
                    "unclosed_quote",
                    string.Create(CultureInfo.InvariantCulture,
                    $"The file's first record opens a quote at byte {quote:N0} that is never closed, so its columns are unknown; "
                        + $"close the quote, or double it if it is text."));
            string[] fields = DelimitedRecord.Split(_header.WrittenMemory[..(int)first.Length], _dialect!, encoding: null, out _);
            (_layout, bool isRow) = ReviewHeader.Read(fields, _format, _dialect!, _options);
            if (isRow) Add(first);
        }

        private string? EncodingOf(string said) => said.ToLowerInvariant() switch
        {
            "auto" => _hasMark ? null : _encoding.Encoding,
            "utf-8" or "utf8" => null,
            ReviewLayout.Windows1252 or "cp1252" or "iso-8859-1" or "latin1" => ReviewLayout.Windows1252,
            _ => throw new ReviewFileException(
                "unknown_encoding", $"The encoding {RowErrors.Shown(said)} is not known; set it to auto, utf-8 or windows-1252."),
        };

        private void Add(RecordRange record)
        {
            var place = new RowPlace(_batches.Rows, record.Start);
            RowError? error =
                record.OpenQuote is { } quote ? RowErrors.UnclosedQuote(place, quote, record.Length)
                : record.Length > _options.MaxRecordBytes ? RowErrors.LineTooLong(place, record.Length, _options.MaxRecordBytes)
                : null;
            _batches.Add(record, error);
        }
    }
}

/// <summary>Tells a file that is no text from its head.</summary>
internal static class BinaryContent
{
    /// <summary>How much of the head is looked at: enough for a judgement, little enough to be free.</summary>
    public const int HeadBytes = 64 * 1024;

    // Windows-1252 in a European language has one byte in ten that is not UTF-8. Compressed or encrypted bytes are bad in
    // more than one of two; other binary files have many NULs and other control characters, a review seldom one.
    private const double BadShare = 0.3;
    private const int FewestBad = 32;
    private const double ControlShare = 0.1;

    private static readonly (byte[] Magic, string Kind)[] Known =
    [
        ([.. "PK"u8, 3, 4], "a ZIP archive or an Excel workbook; save it as CSV, or unpack it"),
        ([0xd0, 0xcf, 0x11, 0xe0], "an old Excel or Word file; save it as CSV"),
        ([.. "%PDF"u8], "a PDF; save its reviews as text"),
        ([0x1f, 0x8b], "gzip within gzip; compress it once"),
    ];

    /// <summary>Refuses a head that is a known file's, or has too much that is neither UTF-8 nor printable.</summary>
    /// <exception cref="ReviewFileException"><c>binary_file</c>.</exception>
    public static void Refuse(ReadOnlySpan<byte> head)
    {
        foreach ((byte[] magic, string kind) in Known)
            if (head.StartsWith(magic)) throw new ReviewFileException("binary_file", $"The file is no text but {kind}.");

        (int controls, int invalid) = CountBad(head);
        int bad = controls + invalid;
        if ((controls > 1 && controls > head.Length * ControlShare) || (bad > FewestBad && bad > head.Length * BadShare))
            throw new ReviewFileException("binary_file", string.Create(CultureInfo.InvariantCulture,
                $"The file has {bad:N0} sequences in its first {head.Length:N0} bytes that are not text, so it is binary or in "
                    + $"another encoding; ")
                + "save the reviews as UTF-8 text, or UTF-16 with a byte order mark.");
    }

    private static (int Controls, int Invalid) CountBad(ReadOnlySpan<byte> head)
    {
        int controls = 0, invalid = 0;
        while (!head.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(head, out Rune rune, out int consumed) != OperationStatus.Done) invalid++;
            else if (Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune)) controls++;
            head = head[consumed..];
        }
        return (controls, invalid);
    }
}
