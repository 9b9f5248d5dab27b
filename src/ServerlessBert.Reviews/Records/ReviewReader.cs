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
            throw new ArgumentException(
                $"Batch {batch.Index} has {batch.Length} bytes, but {content.Length} were given; read its range of the file that "
                    + $"was split.", nameof(content));

        List<Review> reviews = ReadRecords(content, layout, batch, options);
        return reviews.Count == batch.Rows
            ? reviews
            : throw new ArgumentException(
                $"Batch {batch.Index} has {batch.Rows} rows, but the bytes given hold {reviews.Count}; read its range of the file "
                    + $"that was split.", nameof(content));
    }

    private static List<Review> ReadRecords(ReadOnlyMemory<byte> content, ReviewLayout layout, ReviewBatch batch, ReviewOptions options)
    {
        RecordGrammar grammar = RecordGrammar.Of(layout.Format, layout.Dialect);
        var scanner = new RecordScanner(grammar, batch.Offset);
        var reviews = new List<Review>(batch.Rows);
        ReadOnlySpan<byte> rest = content.Span;
        while (scanner.TryRead(ref rest, out RecordRange record)) reviews.Add(Read(record));
        if (scanner.TryFinish(out RecordRange last)) reviews.Add(Read(last));
        return reviews;

        Review Read(RecordRange record) => ReadRecord(
            content.Slice((int)(record.Start - batch.Offset), (int)record.Length),
            new RowPlace(batch.FirstRow + reviews.Count, record.Start), layout, options);
    }

    private static Review ReadRecord(ReadOnlyMemory<byte> record, RowPlace place, ReviewLayout layout, ReviewOptions options) =>
        layout.Format switch
        {
            ReviewFormat.JsonLines =>
                JsonReview.Read(TextBytes.ToUtf8(record, layout.Encoding, out int invalid).Span, invalid, place, options),
            ReviewFormat.Text => ReadLine(record.Span, place, layout),
            _ => DelimitedReview.Read(record, place, layout.Dialect ?? DelimitedDialect.Of(layout.Format), layout),
        };

    private static Review ReadLine(ReadOnlySpan<byte> line, RowPlace place, ReviewLayout layout)
    {
        string text = TextBytes.Decode(line, layout.Encoding, out int invalid);
        var review = new Review { Row = place.Row, InvalidUtf8 = invalid };
        return string.IsNullOrWhiteSpace(text) ? review with { Error = RowErrors.EmptyText(place) } : review with { Text = text };
    }
}
