using System.Globalization;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Pipeline.Retraining;

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
    private readonly List<string> conventions = [];
    private readonly Dictionary<string, int> placeById = new(StringComparer.Ordinal);
    private long bytes;

    /// <summary>Rows with a text and a rating, in the files' order; a correction stands where the row stood that it replaced.</summary>
    public IReadOnlyList<LabelledReview> Rows => rows;

    /// <summary>Rows with a text and without a rating.</summary>
    public long Unlabelled { get; private set; }

    /// <summary>Rows with a text and a rating that is none, such as 9 stars.</summary>
    public long OutOfRange { get; private set; }

    /// <summary>What is wrong with the first of <see cref="OutOfRange"/>, with its place; or null.</summary>
    public string? FirstOutOfRange { get; private set; }

    /// <summary>Rows that could not be read.</summary>
    public long Errors { get; private set; }

    /// <summary>Rows that took the place of an earlier one with the same id.</summary>
    public long Corrections { get; private set; }

    /// <summary>Rows with a rating and an id, but no text, and the id is in no earlier file: they are left out.</summary>
    public long UnknownIds { get; private set; }

    /// <summary>A sentence for each file on how its ratings count, and one for each kind of row that was corrected or left out.</summary>
    public IEnumerable<string> Remarks =>
    [
        .. conventions,
        .. Counted(Corrections, "", "take the place of earlier ones with the same id"),
        .. Counted(UnknownIds, "left out: ", "without a text whose id is in no earlier file"),
        .. Counted(Unlabelled, "left out: ", "without a rating (stars 1-5 or label 0-4)"),
        .. Counted(OutOfRange, "left out: ", $"with a rating out of range; the first: {FirstOutOfRange}"),
        .. Counted(Errors, "left out: ", "that cannot be read"),
    ];

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
        var file = new List<Review>();
        await foreach (Review review in ReviewFileReader.ReadAsync(content, name, options, cancellationToken))
        {
            file.Add(review);
            bytes += ((long)review.Text.Length * BytesACharacter) + BytesARow;
            if (bytes > maxBytes)
                throw new TrainingException(
                    $"The labelled reviews need more memory than this machine has for them: {rows.Count + file.Count:N0} rows up "
                    + $"to {name} take about {bytes / 1e9:0.0} GB of {maxBytes / 1e9:0.0} GB. Name fewer files in the request's "
                    + "data, or train on a machine with more memory.");
        }
        return Take(file, name);
    }

    /// <summary>How many rows there are of each rating, one star first.</summary>
    public int[] Histogram() => [.. Enumerable.Range(0, 5).Select(label => rows.Count(row => row.Label == label))];

    private int Take(List<Review> file, string name)
    {
        // Hugging Face counts labels from 0. A file that has a 5 and no 0 counts them from 1, as stars.
        int[] labels = [.. file.Select(review => review.Label).OfType<int>().Distinct()];
        bool fromOne = labels.Contains(5) && !labels.Contains(0);
        int taken = file.Count(review =>
            Take(fromOne && review.Label is >= 1 and <= 5 ? review with { Stars = review.Label, LabelError = null } : review, name));
        if (labels.Length > 0)
        {
            string convention = fromOne ? "labels count from 1, as stars do" : "labels count from 0, as Hugging Face's do: 0 is one star";
            conventions.Add($"{name}: {convention}");
        }
        else if (taken > 0)
            conventions.Add($"{name}: ratings are stars, from 1 to 5");
        return taken;
    }

    private bool Take(Review review, string name)
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
        else if (review.Stars is { } stars) Put(review.Id, new LabelledReview(review.Text, stars - 1));
        else if (review.LabelError is { } error) LeaveOutOfRange(error, name);
        else Unlabelled++;
        return review is { Error: null, Stars: not null };
    }

    private void Put(string? id, LabelledReview row)
    {
        if (id is not null && !placeById.TryAdd(id, rows.Count))
        {
            rows[placeById[id]] = row;
            Corrections++;
            return;
        }
        rows.Add(row);
    }

    private void LeaveOutOfRange(RowError error, string name)
    {
        OutOfRange++;
        FirstOutOfRange ??= $"{name}: {error.Message}";
    }

    private static string[] Counted(long count, string before, string which) =>
        count == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{before}{count:N0} rows {which}")];
}
