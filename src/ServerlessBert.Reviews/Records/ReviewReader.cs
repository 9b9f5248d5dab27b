using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ServerlessBert.Reviews.Records;

/// <summary>Reads the rows of one batch from its bytes.</summary>
public static class ReviewReader
{
    /// <summary>Exactly <c>batch.Rows</c> reviews in order; what cannot be read is a review with an error.</summary>
    /// <param name="content">The batch's bytes; not looked at when the batch has an error.</param>
    /// <param name="layout">The file's layout, from its plan.</param>
    /// <param name="batch">The batch, from the same plan.</param>
    /// <param name="options">The options that the file was split with.</param>
    /// <exception cref="ArgumentException">The content is not the batch's: it holds another number of bytes or rows.</exception>
    public static IReadOnlyList<Review> Read(ReadOnlyMemory<byte> content, ReviewLayout layout, ReviewBatch batch, ReviewOptions options)
    {
        if (batch.Error is { } error)
            return [.. Enumerable.Range(0, batch.Rows).Select(row => new Review { Row = batch.FirstRow + row, Error = error })];
        if (content.Length != batch.Length)
            throw new ArgumentException($"Batch {batch.Index} has {batch.Length} bytes, but {content.Length} were given; read its range of the file that was split.", nameof(content));

        List<Review> reviews = ReadRecords(content, layout, batch, options);
        return reviews.Count == batch.Rows
            ? reviews
            : throw new ArgumentException($"Batch {batch.Index} has {batch.Rows} rows, but the bytes given hold {reviews.Count}; read its range of the file that was split.", nameof(content));
    }

    private static List<Review> ReadRecords(ReadOnlyMemory<byte> content, ReviewLayout layout, ReviewBatch batch, ReviewOptions options)
    {
        RecordGrammar grammar = RecordGrammar.Of(layout.Format);
        var scanner = new RecordScanner(grammar, batch.Offset);
        var reviews = new List<Review>(batch.Rows);
        ReadOnlySpan<byte> rest = content.Span;
        while (scanner.TryRead(ref rest, out RecordRange record)) reviews.Add(Read(record));
        if (scanner.TryFinish(out RecordRange last)) reviews.Add(Read(last));
        return reviews;

        Review Read(RecordRange record) => ReadRecord(
            content.Slice((int)(record.Start - batch.Offset), (int)record.Length),
            new RowPlace(batch.FirstRow + reviews.Count, record.Start), grammar, layout, options);
    }

    private static Review ReadRecord(ReadOnlyMemory<byte> record, RowPlace place, RecordGrammar grammar, ReviewLayout layout, ReviewOptions options) =>
        layout.Format == ReviewFormat.JsonLines ? JsonReview.Read(record.Span, place, options)
        : grammar.Delimiter is { } delimiter ? DelimitedReview.Read(record, place, delimiter, layout)
        : ReadLine(record.Span, place);

    private static Review ReadLine(ReadOnlySpan<byte> line, RowPlace place)
    {
        string text = Utf8Text.Decode(line, out int invalid);
        var review = new Review { Row = place.Row, InvalidUtf8 = invalid };
        return string.IsNullOrWhiteSpace(text) ? review with { Error = RowErrors.EmptyText(place) } : review with { Text = text };
    }
}

/// <summary>Decodes UTF-8 that may be damaged.</summary>
internal static class Utf8Text
{
    /// <summary>The text, each malformed sequence as one U+FFFD (the Unicode standard's "maximal subpart" practice), and how many there were.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes, out int invalid)
    {
        invalid = Utf8.IsValid(bytes) ? 0 : CountInvalid(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>How many malformed sequences the bytes hold.</summary>
    public static int CountInvalid(ReadOnlySpan<byte> bytes)
    {
        int invalid = 0;
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out _, out int consumed) != OperationStatus.Done) invalid++;
            bytes = bytes[consumed..];
        }
        return invalid;
    }
}
