using System.Text.Json;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Messages;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Reviews;
using ServerlessBert.Pipeline.Storage;

namespace ServerlessBert.Pipeline.Training;

/// <summary>
/// Asks for a training when there are labelled files that the live model has not seen. A file counts as seen too when
/// a version published since was trained on it: one that did not pass the gate would not pass it by asking again.
/// </summary>
public sealed class RetrainingSchedule(PipelineStorage storage, ModelRegistry models, TrainingRequests requests, ILogger<RetrainingSchedule> logger)
{
    /// <summary>Queues a request or says in the log why not.</summary>
    public async Task RequestIfNeededAsync(CancellationToken cancellationToken = default)
    {
        var live = await models.CurrentAsync(cancellationToken);
        var files = await LabelledFilesAsync(cancellationToken);
        var seen = await SeenSinceAsync(live?.Version, cancellationToken);
        int unseen = files.Count(file => !seen.Contains(file));

        if (await ReasonAgainstAsync(files.Count, unseen, live?.Version, cancellationToken) is { } reason)
        {
            logger.TrainingNotRequested(reason);
            return;
        }
        await requests.SendAsync(new TrainingRequest { RequestedBy = "schedule" }, cancellationToken);
        logger.TrainingRequested(unseen, live?.Version ?? "none");
    }

    private async Task<string?> ReasonAgainstAsync(int files, int unseen, string? live, CancellationToken cancellationToken)
    {
        if (files == 0) return $"there is no labelled file in {StorageNames.TrainingData}/.";
        if (unseen == 0) return $"model {live} or one published since was trained on all {files} labelled files.";
        if (await requests.CountAsync(cancellationToken) > 0) return "a request waits already, or is worked on.";
        return await requests.CountPoisonedAsync(cancellationToken) > 0
            ? $"an earlier one was given up; look at it (sbert queues peek {StorageNames.TrainingRequests}{StorageNames.PoisonSuffix}), then replay or delete it."
            : null;
    }

    private async Task<List<TrainingDataFile>> LabelledFilesAsync(CancellationToken cancellationToken)
    {
        var files = new List<TrainingDataFile>();
        await foreach (var blob in storage.Container(StorageNames.TrainingData).GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (ReviewContent.TryGetFormat(blob.Name, out _, out _, out _) && blob.Properties.ETag is { } etag) files.Add(new(blob.Name, ETags.Bare(etag)));
        }
        return files;
    }

    private async Task<HashSet<TrainingDataFile>> SeenSinceAsync(string? live, CancellationToken cancellationToken)
    {
        var seen = new HashSet<TrainingDataFile>();
        foreach (var model in await models.ListAsync(cancellationToken))
        {
            bool isSince = live is null || string.CompareOrdinal(model.Version, live) >= 0;
            if (isSince && model.IsComplete && await models.TryReadDocumentAsync(model.Version, "training.json", cancellationToken) is { } training)
                seen.UnionWith(training.Deserialize(PipelineJson.Of<TrainingDataList>())?.Data?.Select(file => file with { ETag = ETags.Bare(file.ETag ?? "") }) ?? []);
        }
        return seen;
    }
}
