using System.Runtime.CompilerServices;

namespace ServerlessBert.Pipeline.Reviews;

/// <summary>Reads whole contents, for whoever needs no plan: training data, evaluation, tests.</summary>
public static class ReviewFileReader
{
    /// <summary>Every row of the content, in order; see <see cref="LocalReviewFile.OpenAsync(Stream, string, ReviewOptions, CancellationToken)"/>.</summary>
    /// <exception cref="ReviewFileException">The content cannot be read as reviews.</exception>
    public static async IAsyncEnumerable<Review> ReadAsync(Stream content, string name, ReviewOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach ((_, IReadOnlyList<Review> reviews) in ReadBatchesAsync(content, name, options, cancellationToken).ConfigureAwait(false))
        {
            foreach (Review review in reviews) yield return review;
        }
    }

    /// <summary>Every batch of the content with its rows, in order.</summary>
    /// <exception cref="ReviewFileException">The content cannot be read as reviews.</exception>
    public static async IAsyncEnumerable<(ReviewBatch Batch, IReadOnlyList<Review> Reviews)> ReadBatchesAsync(Stream content, string name, ReviewOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        LocalReviewFile file = await LocalReviewFile.OpenAsync(content, name, options, cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
        {
            await foreach ((ReviewBatch, IReadOnlyList<Review>) batch in file.ReadBatchesAsync(cancellationToken).ConfigureAwait(false)) yield return batch;
        }
    }
}
