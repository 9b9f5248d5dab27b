using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Training;

namespace ServerlessBert.Trainer;

/// <summary>The labelled rows of training-data/, and the files that they came from.</summary>
/// <param name="Reviews">Rows, and counts of what was left out.</param>
/// <param name="Sources">The files, for training.json.</param>
internal sealed record TrainingData(LabelledReviews Reviews, IReadOnlyList<TrainingSource> Sources)
{
    /// <summary>Reads the files whose names begin with one of <paramref name="names"/>, or all of them.</summary>
    /// <exception cref="TrainingException">No file is there, or none has a labelled row.</exception>
    public static async Task<TrainingData> ReadAsync(PipelineStorage storage, IReadOnlyList<string>? names, ReviewOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        BlobContainerClient container = storage.Container(StorageNames.TrainingData);
        var reviews = new LabelledReviews();
        var sources = new List<TrainingSource>();
        await foreach (BlobItem blob in container.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (names is not null && !names.Any(name => blob.Name.StartsWith(name, StringComparison.Ordinal))) continue;
            try
            {
                await using Stream content = await container.GetBlobClient(blob.Name).OpenReadAsync(new BlobOpenReadOptions(allowModifications: false), cancellationToken);
                int rows = await reviews.AddAsync(content, blob.Name, options, cancellationToken);
                sources.Add(new TrainingSource(blob.Name, ETags.Bare(blob.Properties.ETag!.Value.ToString()), rows));
                say($"{blob.Name}: {rows:N0} labelled rows");
            }
            catch (ReviewFileException exception)
            {
                say($"{blob.Name} is left out: {exception.Message}"); // one bad file must not keep the others from being learned
            }
        }
        if (reviews.Unlabelled > 0) say($"left out: {reviews.Unlabelled:N0} rows without a rating (stars 1-5 or label 0-4)");
        if (reviews.Errors > 0) say($"left out: {reviews.Errors:N0} rows that cannot be read");
        return reviews.Rows.Count > 0 ? new TrainingData(reviews, sources) : throw new TrainingException(
            $"There is no labelled review in {StorageNames.TrainingData}{(names is null ? "" : $" under {string.Join(", ", names)}")}; upload a file with stars 1-5 or label 0-4 to that container.");
    }
}
