using Azure.Storage.Blobs.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Training;

/// <summary>Counts labelled rows of files that no training has read, and reads no further than it must.</summary>
internal sealed class NewRows(PipelineStorage storage, ReviewOptions options)
{
    /// <summary>How many labelled rows the files have beyond what earlier contents of the same names had.</summary>
    /// <param name="files">The files that are new, or were changed.</param>
    /// <param name="rowsBefore">Rows that a name gave to a training before.</param>
    /// <param name="enough">Counting stops here.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<long> CountAsync(IEnumerable<TrainingFile> files, IReadOnlyDictionary<string, long> rowsBefore, long enough, CancellationToken cancellationToken)
    {
        long rows = 0;
        foreach (TrainingFile file in files)
        {
            if (rows >= enough) break;
            long before = rowsBefore.GetValueOrDefault(file.Name);
            rows += Math.Max(0, await CountAsync(file, before + enough - rows, cancellationToken) - before);
        }
        return rows;
    }

    private async Task<long> CountAsync(TrainingFile file, long enough, CancellationToken cancellationToken)
    {
        long rows = 0;
        try
        {
            await using Stream content = await storage.Container(StorageNames.TrainingData).GetBlobClient(file.Name).OpenReadAsync(new BlobOpenReadOptions(allowModifications: false), cancellationToken);
            await foreach (Review review in ReviewFileReader.ReadAsync(content, file.Name, options, cancellationToken))
            {
                if (review.Stars is not null && ++rows >= enough) break;
            }
        }
        catch (ReviewFileException)
        {
            // A file that cannot be read gives a training nothing either, which says so; what was counted up to there stands.
        }
        return rows;
    }
}
