using System.Globalization;
using ServerlessBert.Reviews.Decoding;
using ServerlessBert.Reviews.Records;

namespace ServerlessBert.Reviews.Files;

/// <summary>Gathers records into batches that end at a number of rows or bytes, and grow when there would be too many.</summary>
/// <remarks>
/// One pass does not know how many records follow. When the batches become too many, both budgets double and
/// neighbours are merged under the new ones: every record is merged at most log2(file / budget) times.
/// A record with an error is a batch of its own, never merged: its bytes may be gigabytes that nobody should read.
/// </remarks>
internal sealed class BatchPlanner(ReviewOptions options)
{
    private readonly List<Part> _closed = [];
    private Part? _open;
    private long _rowBudget = Math.Max(1, options.BatchRows);
    private long _byteBudget = Math.Max(1, options.BatchBytes);

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Takes the next record; with an error, without anyone reading its bytes.</summary>
    /// <exception cref="ReviewFileException"><c>too_many_rows</c> or <c>too_many_batches</c>.</exception>
    public void Add(RecordRange record, RowError? error = null)
    {
        if (Rows == options.MaxRows) throw ReviewContent.TooManyRows(options);
        var single = new Part(record.Start, record.Start + record.Length, Rows, 1, error);
        Rows++;
        if (_open is { } open && Fits(open, single))
        {
            _open = Merge(open, single);
            return;
        }
        Close();
        _open = single;
    }

    /// <summary>All batches, numbered.</summary>
    /// <exception cref="ReviewFileException"><c>too_many_batches</c>.</exception>
    public IReadOnlyList<ReviewBatch> Finish()
    {
        Close();
        return [.. _closed.Select((part, index) => new ReviewBatch
        {
            Index = index,
            Offset = part.Start,
            Length = part.End - part.Start,
            FirstRow = part.FirstRow,
            Rows = checked((int)part.Rows),
            Error = part.Error,
        })];
    }

    private void Close()
    {
        if (_open is not { } open) return;
        _closed.Add(open);
        _open = null;
        while (_closed.Count > Math.Max(1, options.MaxBatches)) Grow();
    }

    private void Grow()
    {
        if (!_closed.Zip(_closed.Skip(1)).Any(pair => pair is { First.Error: null, Second.Error: null })) throw TooManyBatches();
        _rowBudget *= 2;
        _byteBudget *= 2;
        int kept = 0;
        foreach (Part part in _closed.ToArray())
        {
            if (kept > 0 && Fits(_closed[kept - 1], part)) _closed[kept - 1] = Merge(_closed[kept - 1], part);
            else _closed[kept++] = part;
        }
        _closed.RemoveRange(kept, _closed.Count - kept);
    }

    private bool Fits(Part part, Part next) =>
        part.Error is null && next.Error is null && part.Rows + next.Rows <= _rowBudget && next.End - part.Start <= _byteBudget;

    private static Part Merge(Part part, Part next) => part with { End = next.End, Rows = part.Rows + next.Rows };

    private ReviewFileException TooManyBatches() =>
        new("too_many_batches",
            string.Create(CultureInfo.InvariantCulture,
            $"The file needs more than {options.MaxBatches:N0} batches because {_closed.Count(part => part.Error is not null):N0} "
                + $"of its rows are over the limit of {options.MaxRecordBytes:N0} bytes; see that it is a review file, split it or "
                    + $"raise MaxRecordBytes."));

    // A batch to be: bytes [Start, End).
    private readonly record struct Part(long Start, long End, long FirstRow, long Rows, RowError? Error);
}

/// <summary>A file cut into batches: together they hold every row once, in order.</summary>
/// <param name="Layout">What a batch's reader needs to know of the file's head.</param>
/// <param name="Batches">The batches by index.</param>
/// <param name="Rows">Rows in the whole file.</param>
/// <param name="Bytes">Length of the content in bytes, decompressed.</param>
public sealed record ReviewFilePlan(ReviewLayout Layout, IReadOnlyList<ReviewBatch> Batches, long Rows, long Bytes);
