using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Training;

/// <summary>The labelled rows of training files, and what was left out.</summary>
public sealed class LabelledReviews
{
    private readonly List<LabelledReview> rows = [];

    /// <summary>Rows with a text and a rating, in the files' order.</summary>
    public IReadOnlyList<LabelledReview> Rows => rows;

    /// <summary>Rows with a text but no usable rating.</summary>
    public long Unlabelled { get; private set; }

    /// <summary>Rows that could not be read.</summary>
    public long Errors { get; private set; }

    /// <summary>Adds a file's rows.</summary>
    /// <param name="content">The file's bytes, compressed or not.</param>
    /// <param name="name">Its name, whose endings tell its form.</param>
    /// <param name="options">Field names and limits.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>How many labelled rows the file gave.</returns>
    /// <exception cref="ReviewFileException">The file as a whole cannot be read.</exception>
    public async Task<int> AddAsync(Stream content, string name, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        int before = rows.Count;
        await foreach (Review review in ReviewFileReader.ReadAsync(content, name, options, cancellationToken))
        {
            if (review.Error is not null) Errors++;
            else if (review.Stars is int stars) rows.Add(new LabelledReview(review.Text, stars - 1));
            else Unlabelled++;
        }
        return rows.Count - before;
    }

    /// <summary>How many rows there are of each rating, one star first.</summary>
    public int[] Histogram() => [.. Enumerable.Range(0, 5).Select(label => rows.Count(row => row.Label == label))];
}
