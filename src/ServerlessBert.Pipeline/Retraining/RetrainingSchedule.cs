using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;
using ServerlessBert.Reviews;
using ServerlessBert.Reviews.Files;

namespace ServerlessBert.Pipeline.Retraining;

/// <summary>
/// Asks for a training when there are labelled files that the live model has not seen. A file counts as seen too when
/// a version published since was trained on it: one that did not pass the gate would not pass it by asking again.
/// </summary>
public sealed class RetrainingSchedule(
    PipelineStorage storage, ModelRegistry models, TrainingRequests requests, ReviewOptions reviews, RetrainingOptions options,
        ILogger<RetrainingSchedule> logger)
{
    private readonly NewRows _newRows = new(storage, reviews);

    /// <summary>Queues a request or logs why not.</summary>
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

    private async Task<string?> ReasonAgainstAsync(
        int files, TrainingFile[] unseen, List<TrainingDataFile> seen, string? live, CancellationToken cancellationToken)
    {
        if (files == 0) return $"there is no labelled file in {StorageNames.TrainingData}/.";
        if (unseen.Length == 0) return $"model {live} or one published since was trained on all {files} labelled files.";
        if (await requests.CountAsync(cancellationToken) > 0) return "a request waits already, or is worked on.";
        if (await requests.CountPoisonedAsync(cancellationToken) > 0)
            return
                "an earlier one was dead-lettered; look at it (sbert queues peek "
                + $"{StorageNames.TrainingRequests}{StorageNames.PoisonSuffix}), then replay or delete it.";
        return await TooFewAsync(unseen, seen, cancellationToken);
    }

    private async Task<string?> TooFewAsync(TrainingFile[] unseen, List<TrainingDataFile> seen, CancellationToken cancellationToken)
    {
        if (options.MinNewRows <= 1) return null;
        var rowsBefore = seen.GroupBy(file => file.Name).ToDictionary(name => name.Key, name => name.Max(file => file.Rows));
        long rows = await _newRows.CountAsync(unseen, rowsBefore, options.MinNewRows, cancellationToken);
        return rows >= options.MinNewRows ? null
            :
                $"{unseen.Length} labelled files are new, with {rows:N0} new rows, and {nameof(RetrainingOptions.MinNewRows)} asks "
                + $"for {options.MinNewRows:N0}.";
    }

    private async Task<List<TrainingDataFile>> SeenSinceAsync(string? live, CancellationToken cancellationToken)
    {
        var seen = new List<TrainingDataFile>();
        foreach (var model in await models.ListAsync(cancellationToken))
        {
            bool isSince = live is null || string.CompareOrdinal(model.Version, live) >= 0;
            if (isSince && model.IsComplete) seen.AddRange(await DataOfAsync(model.Version, cancellationToken));
        }
        return seen;
    }

    // A version whose record is damaged counts as trained on nothing: one version must not end all retraining.
    private async Task<IEnumerable<TrainingDataFile>> DataOfAsync(string version, CancellationToken cancellationToken)
    {
        try
        {
            var training = await models.TryReadDocumentAsync(version, "training.json", cancellationToken);
            IReadOnlyList<TrainingDataFile>? data = training?.Deserialize(PipelineJson.Of<TrainingDataList>())?.Data;
            return data?.Select(file => file with { ETag = ETags.Unquote(file.ETag ?? "") }) ?? [];
        }
        catch (Exception exception) when (exception is ModelUnavailableException or JsonException)
        {
            logger.TrainingRecordDamaged(version, exception.Message);
            return [];
        }
    }
}

/// <summary>When ScheduleRetraining asks for a training; configuration section <c>ServerlessBert:Retraining</c>.</summary>
public sealed record RetrainingOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Retraining";

    /// <summary>
    /// How many labelled rows must be new to the live model: 1, any new file. A GPU's hour for ten more rows among ten
    /// thousand is seldom worth it; whoever labels a little every day sets this to some percent of what there is.
    /// </summary>
    [Range(1, double.MaxValue)]
    public long MinNewRows { get; init; } = 1;
}

/// <summary>Counts labelled rows of files that no training has read, and reads no further than it must.</summary>
internal sealed class NewRows(PipelineStorage storage, ReviewOptions options)
{
    /// <summary>How many labelled rows the files have beyond what earlier contents of the same names had.</summary>
    /// <param name="files">The files that are new, or were changed.</param>
    /// <param name="rowsBefore">Rows that a name gave to a training before.</param>
    /// <param name="enough">Counting stops here.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<long> CountAsync(
        IEnumerable<TrainingFile> files, IReadOnlyDictionary<string, long> rowsBefore, long enough, CancellationToken cancellationToken)
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
            var blob = storage.Container(StorageNames.TrainingData).GetBlobClient(file.Name);
            await using Stream content = await blob.OpenReadAsync(new BlobOpenReadOptions(allowModifications: false), cancellationToken);
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
