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
public sealed class RetrainingSchedule(
    PipelineStorage storage, ModelRegistry models, TrainingRequests requests, ReviewOptions reviews, RetrainingOptions options, ILogger<RetrainingSchedule> logger)
{
    private readonly NewRows _newRows = new(storage, reviews);

    /// <summary>Queues a request or says in the log why not.</summary>
    public async Task RequestIfNeededAsync(CancellationToken cancellationToken = default)
    {
        var live = await models.CurrentAsync(cancellationToken);
        var files = (await TrainingFiles.ListAsync(storage, cancellationToken: cancellationToken)).Data;
        var seen = await SeenSinceAsync(live?.Version, cancellationToken);
        TrainingFile[] unseen = [.. files.Where(file => !seen.Any(earlier => earlier.Name == file.Name && earlier.ETag == file.ETag))];

        if (await ReasonAgainstAsync(files.Count, unseen, seen, live?.Version, cancellationToken) is { } reason)
        {
            logger.TrainingNotRequested(reason);
            return;
        }
        await requests.SendAsync(new TrainingRequest { RequestedBy = "schedule" }, cancellationToken);
        logger.TrainingRequested(unseen.Length, live?.Version ?? "none");
    }

    private async Task<string?> ReasonAgainstAsync(int files, TrainingFile[] unseen, List<TrainingDataFile> seen, string? live, CancellationToken cancellationToken)
    {
        if (files == 0) return $"there is no labelled file in {StorageNames.TrainingData}/.";
        if (unseen.Length == 0) return $"model {live} or one published since was trained on all {files} labelled files.";
        if (await requests.CountAsync(cancellationToken) > 0) return "a request waits already, or is worked on.";
        if (await requests.CountPoisonedAsync(cancellationToken) > 0)
            return $"an earlier one was given up; look at it (sbert queues peek {StorageNames.TrainingRequests}{StorageNames.PoisonSuffix}), then replay or delete it.";
        return await TooFewAsync(unseen, seen, cancellationToken);
    }

    private async Task<string?> TooFewAsync(TrainingFile[] unseen, List<TrainingDataFile> seen, CancellationToken cancellationToken)
    {
        if (options.MinNewRows <= 1) return null;
        var rowsBefore = seen.GroupBy(file => file.Name).ToDictionary(name => name.Key, name => name.Max(file => file.Rows));
        long rows = await _newRows.CountAsync(unseen, rowsBefore, options.MinNewRows, cancellationToken);
        return rows >= options.MinNewRows ? null
            : $"{unseen.Length} labelled files are new, with {rows:N0} new rows, and {nameof(RetrainingOptions.MinNewRows)} asks for {options.MinNewRows:N0}.";
    }

    private async Task<List<TrainingDataFile>> SeenSinceAsync(string? live, CancellationToken cancellationToken)
    {
        var seen = new List<TrainingDataFile>();
        foreach (var model in await models.ListAsync(cancellationToken))
        {
            bool isSince = live is null || string.CompareOrdinal(model.Version, live) >= 0;
            if (isSince && model.IsComplete && await models.TryReadDocumentAsync(model.Version, "training.json", cancellationToken) is { } training)
                seen.AddRange(training.Deserialize(PipelineJson.Of<TrainingDataList>())?.Data?.Select(file => file with { ETag = ETags.Bare(file.ETag ?? "") }) ?? []);
        }
        return seen;
    }
}
