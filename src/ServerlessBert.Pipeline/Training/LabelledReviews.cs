using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;

namespace ServerlessBert.Pipeline.Training;

/// <summary>
/// The labelled rows of training files, and what was left out. Files are added oldest first: a row replaces the earlier
/// one of the same id, which is how a correction counts. One without a text takes the text that the id had.
/// </summary>
/// <param name="maxBytes">Most memory for texts, about; null sets no limit.</param>
public sealed class LabelledReviews(long? maxBytes = null)
{
    // A text in memory is UTF-16; its tokens, made later, and a row's own objects are about as much again.
    private const int BytesACharacter = 4, BytesARow = 200;

    private readonly List<LabelledReview> rows = [];
    private readonly Dictionary<string, int> placeById = new(StringComparer.Ordinal);
    private long bytes;

    /// <summary>Rows with a text and a rating, in the files' order; a correction stands where the row stood that it replaced.</summary>
    public IReadOnlyList<LabelledReview> Rows => rows;

    /// <summary>Rows with a text but no usable rating.</summary>
    public long Unlabelled { get; private set; }

    /// <summary>Rows that could not be read.</summary>
    public long Errors { get; private set; }

    /// <summary>Rows that took the place of an earlier one with the same id.</summary>
    public long Corrections { get; private set; }

    /// <summary>Rows with a rating and an id, but no text, and the id is in no earlier file: they are left out.</summary>
    public long UnknownIds { get; private set; }

    /// <summary>Adds a file's rows.</summary>
    /// <param name="content">The file's bytes, compressed or not.</param>
    /// <param name="name">Its name, whose endings tell its form.</param>
    /// <param name="options">Field names and limits.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>How many labelled rows the file gave, corrections included.</returns>
    /// <exception cref="ReviewFileException">The file as a whole cannot be read.</exception>
    /// <exception cref="TrainingException">The rows need more memory than there is for them.</exception>
    public async Task<int> AddAsync(Stream content, string name, ReviewOptions options, CancellationToken cancellationToken = default)
    {
        int taken = 0;
        await foreach (Review review in ReviewFileReader.ReadAsync(content, name, options, cancellationToken))
        {
            if (Take(review)) taken++;
            if (bytes > maxBytes)
                throw new TrainingException($"The labelled reviews need more memory than this machine has for them: {rows.Count:N0} rows up to {name} take about {bytes / 1e9:0.0} GB of {maxBytes / 1e9:0.0} GB. Name fewer files in the request's data, or train on a machine with more memory.");
        }
        return taken;
    }

    /// <summary>How many rows there are of each rating, one star first.</summary>
    public int[] Histogram() => [.. Enumerable.Range(0, 5).Select(label => rows.Count(row => row.Label == label))];

    private bool Take(Review review)
    {
        // A correction may name a review by its id alone: it has a rating, and an error for its text.
        if (review is { Error.Code: "missing_text" or "empty_text", Id: { } known, Stars: { } corrected })
        {
            if (!placeById.TryGetValue(known, out int earlier))
            {
                UnknownIds++;
                return false;
            }
            rows[earlier] = rows[earlier] with { Label = corrected - 1 };
            Corrections++;
            return true;
        }
        if (review.Error is not null) Errors++;
        else if (review.Stars is null) Unlabelled++;
        else Put(review.Id, new LabelledReview(review.Text, review.Stars.Value - 1));
        return review is { Error: null, Stars: not null };
    }

    private void Put(string? id, LabelledReview row)
    {
        bytes += ((long)row.Text.Length * BytesACharacter) + BytesARow;
        if (id is not null && !placeById.TryAdd(id, rows.Count))
        {
            rows[placeById[id]] = row;
            Corrections++;
            return;
        }
        rows.Add(row);
    }
}
