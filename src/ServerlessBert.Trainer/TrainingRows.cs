using Azure;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Modeling.Reports;
using ServerlessBert.Modeling.Training;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Reviews;

namespace ServerlessBert.Trainer;

/// <summary>The labelled rows of a plan's files.</summary>
/// <param name="Rows">Rows to learn from, and to hold some out of.</param>
/// <param name="Sources">The files that they came from, for training.json.</param>
/// <param name="Evaluation">The fixed evaluation set's rows; empty where there is none.</param>
internal sealed record TrainingRows(
    IReadOnlyList<LabelledReview> Rows, IReadOnlyList<TrainingSource> Sources, IReadOnlyList<LabelledReview> Evaluation)
{
    /// <summary>Reads every file as it was when the plan was made.</summary>
    /// <param name="storage">Where the files are.</param>
    /// <param name="plan">Their names and ETags.</param>
    /// <param name="options">Field names and limits.</param>
    /// <param name="maxBytes">Most memory for texts.</param>
    /// <param name="logger">Where each file, and what was left out, is logged.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="TrainingDataChangedException">A file was changed or deleted since.</exception>
    /// <exception cref="TrainingException">No file has a labelled row, or there are more than memory holds.</exception>
    public static async Task<TrainingRows> ReadAsync(
        PipelineStorage storage, TrainingPlan plan, ReviewOptions options, long maxBytes, ILogger logger,
            CancellationToken cancellationToken)
    {
        var evaluation = new LabelledReviews(maxBytes);
        await ReadAsync(storage, plan.Evaluation, evaluation, options, logger, cancellationToken);
        var reviews = new LabelledReviews(maxBytes);
        IReadOnlyList<TrainingSource> sources = await ReadAsync(storage, plan.Data, reviews, options, logger, cancellationToken);
        if (reviews.Rows.Count == 0)
            throw new TrainingException(
                $"There is no labelled review in the {plan.Data.Count} files of {StorageNames.TrainingData} that the request "
                + "names; upload a file with stars 1-5 or label 0-4 to that container.");

        // What decides must not have been learned, whichever file it stands in too.
        var measured = evaluation.Rows.Select(row => row.Text).ToHashSet(StringComparer.Ordinal);
        LabelledReview[] rows = [.. reviews.Rows.Where(row => !measured.Contains(row.Text))];
        if (rows.Length < reviews.Rows.Count) logger.EvaluationRowsLeftOut(reviews.Rows.Count - rows.Length);
        return new TrainingRows(rows, sources, evaluation.Rows);
    }

    private static async Task<IReadOnlyList<TrainingSource>> ReadAsync(
        PipelineStorage storage, IReadOnlyList<TrainingFile> files, LabelledReviews reviews, ReviewOptions options, ILogger logger,
            CancellationToken cancellationToken)
    {
        var sources = new List<TrainingSource>();
        foreach (TrainingFile file in files)
        {
            try
            {
                await using Stream content = await OpenAsync(storage, file, cancellationToken);
                int rows = await reviews.AddAsync(content, file.Name, options, cancellationToken);
                sources.Add(new TrainingSource(file.Name, file.ETag, rows));
                logger.FileRead(file.Name, rows);
            }
            catch (ReviewFileException exception)
            {
                // One bad file must not keep the others from being learned. It stands in the record all the same, so
                // that the schedule does not take it for new.
                sources.Add(new TrainingSource(file.Name, file.ETag, 0));
                logger.FileLeftOut(file.Name, exception.Message);
            }
            catch (RequestFailedException exception) when (exception.Status is 404 or 412)
            {
                throw new TrainingDataChangedException(file.Name);
            }
        }
        foreach (string remark in reviews.Remarks) logger.RecipeNote(remark);
        return sources;
    }

    private static Task<Stream> OpenAsync(PipelineStorage storage, TrainingFile file, CancellationToken cancellationToken) =>
        storage.Container(StorageNames.TrainingData).GetBlobClient(file.Name).OpenReadAsync(
            new BlobOpenReadOptions(allowModifications: false) { Conditions = new() { IfMatch = ETags.ToCondition(file.ETag) } },
            cancellationToken);
}

/// <summary>A file of the plan is not as it was when the plan was made.</summary>
/// <param name="name">The file's name.</param>
internal sealed class TrainingDataChangedException(
    string name) : ServerlessBertException($"{name} was changed or deleted since the training was planned.");
