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

    /// <summary>Reads the content, plain UTF-8, once to its end. Memory does not grow with the file, but for its batches.</summary>
    /// <remarks>
    /// Blank lines are no rows, and a line break at the end makes none; a file of nothing else has a plan of 0 rows.
    /// A record over <see cref="ReviewOptions.MaxRecordBytes"/>, or with a quote that is never closed, is a batch of
    /// its own with its error set, so that nobody needs its bytes.
    /// </remarks>
    /// <exception cref="ReviewFileException"><c>empty_file</c>, <c>binary_file</c>, <c>no_text_column</c>,
    /// <c>header_too_long</c>, <c>unclosed_quote</c> (in a header), <c>too_many_rows</c>, <c>too_many_batches</c> or
    /// <c>too_large</c>; and what reading the content throws.</exception>
    public static async Task<ReviewFilePlan> SplitAsync(Stream content, ReviewFormat format, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            int length = await content.ReadAtLeastAsync(buffer, BinaryContent.HeadBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            int bom = buffer.AsSpan(0, length).StartsWith("\uFEFF"u8) ? 3 : 0;
            if (length == bom) throw new ReviewFileException("empty_file", "The file is empty; write reviews into it and drop it again.");
            BinaryContent.Refuse(buffer.AsSpan(0, Math.Min(length, BinaryContent.HeadBytes)));

            var splitting = new Splitting(format, options, bom);
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

    private sealed class Splitting(ReviewFormat format, ReviewOptions options, long start)
    {
        private readonly BatchPlanner _batches = new(options);
        private readonly ArrayBufferWriter<byte> _header = new();
        private readonly RecordGrammar _grammar = RecordGrammar.Of(format);
        private RecordScanner _scanner = new(RecordGrammar.Of(format), start);
        private ReviewLayout? _layout = format is ReviewFormat.Csv or ReviewFormat.Tsv ? null : new ReviewLayout { Format = format };
        private long _length = start;

        public void Push(ReadOnlySpan<byte> bytes)
        {
            ReadOnlySpan<byte> rest = bytes;
            if (_layout is not null || TryReadLayout(ref rest))
            {
                while (_scanner.TryRead(ref rest, out RecordRange record)) Add(record);
            }
            _length += bytes.Length;
            if (_length > options.MaxBytes) throw ReviewContent.TooLarge(options);
        }

        public ReviewFilePlan Finish()
        {
            if (_scanner.TryFinish(out RecordRange last))
            {
                if (_layout is null) ReadLayout(last);
                else Add(last);
            }
            return new ReviewFilePlan(_layout ?? new ReviewLayout { Format = format }, _batches.Finish(), _batches.Rows, _length);
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
            if (_header.WrittenCount > options.MaxRecordBytes)
                throw new ReviewFileException("header_too_long", string.Create(CultureInfo.InvariantCulture, $"The file's first record is longer than {options.MaxRecordBytes:N0} bytes, so its columns are unknown; give it a header line, or close the quote that it opens."));
            if (isWhole) ReadLayout(first);
            return isWhole;
        }

        private void ReadLayout(RecordRange first)
        {
            if (first.OpenQuote is { } quote)
                throw new ReviewFileException("unclosed_quote", string.Create(CultureInfo.InvariantCulture, $"The file's first record opens a quote at byte {quote:N0} that is never closed, so its columns are unknown; close the quote, or double it if it is text."));
            string[] fields = DelimitedRecord.Split(_header.WrittenMemory[..(int)first.Length], _grammar.Delimiter!.Value, out _);
            (_layout, bool isRow) = ReviewHeader.Read(fields, format, options);
            if (isRow) Add(first);
        }

        private void Add(RecordRange record)
        {
            var place = new RowPlace(_batches.Rows, record.Start);
            RowError? error =
                record.OpenQuote is { } quote ? RowErrors.UnclosedQuote(place, quote, record.Length)
                : record.Length > options.MaxRecordBytes ? RowErrors.LineTooLong(place, record.Length, options.MaxRecordBytes)
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

    // Latin-1 in a European language has one byte in ten that is not UTF-8, and such a file is read, its bytes
    // replaced and counted. Compressed or encrypted bytes are bad in more than one of two.
    private const double BadShare = 0.3;
    private const int FewestBad = 32;

    /// <summary>Refuses a head with a NUL, or with too much that is neither UTF-8 nor printable.</summary>
    /// <exception cref="ReviewFileException"><c>binary_file</c>.</exception>
    public static void Refuse(ReadOnlySpan<byte> head)
    {
        int nul = head.IndexOf((byte)0);
        if (nul >= 0) throw Binary(string.Create(CultureInfo.InvariantCulture, $"has a NUL byte at byte {nul:N0}"));

        int bad = CountBad(head);
        if (bad > FewestBad && bad > head.Length * BadShare)
            throw Binary(string.Create(CultureInfo.InvariantCulture, $"has {bad:N0} sequences in its first {head.Length:N0} bytes that are not UTF-8 text"));
    }

    private static int CountBad(ReadOnlySpan<byte> head)
    {
        int bad = 0;
        while (!head.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(head, out Rune rune, out int consumed) == OperationStatus.Done
                && (!Rune.IsControl(rune) || Rune.IsWhiteSpace(rune));
            if (!isText) bad++;
            head = head[consumed..];
        }
        return bad;
    }

    private static ReviewFileException Binary(string found) =>
        new("binary_file", $"The file {found}, so it is binary or in another encoding; save the reviews as UTF-8 text, or UTF-16 with a byte order mark.");
}
