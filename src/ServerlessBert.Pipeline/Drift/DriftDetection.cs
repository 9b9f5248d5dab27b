using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;

namespace ServerlessBert.Pipeline.Drift;

/// <summary>Compares each finished file with the evaluation set of the model that answered it.</summary>
public sealed class DriftDetection(ModelRegistry registry, DriftOptions options, DriftRetraining retraining, ILogger<DriftDetection> logger)
{
    // A version never changes, so its baseline is read once.
    private readonly ConcurrentDictionary<string, PredictionProfile> _baselines = [];

    /// <summary>Compares a run's counts.</summary>
    /// <returns>The comparison; null where the model came without a baseline, as one from elsewhere does.</returns>
    public async Task<DriftReport?> CompareAsync(Run run, BatchStatistics statistics, CancellationToken cancellationToken = default) =>
        await BaselineAsync(run.Model, cancellationToken) is { } baseline ? DriftRule.Compare(statistics, baseline, options) : null;

    /// <summary>Tells of drift, and asks for a training where that is wanted; called once, when the run has ended.</summary>
    public async Task TellAsync(Run run, DriftReport? report, CancellationToken cancellationToken = default)
    {
        if (report is not { IsDrifted: true }) return;
        PipelineMetrics.Drifted(report.Flags);
        logger.Drifted(run.Id, run.Blob, run.Model, report.Reason!);
        if (options.RequestTraining) await retraining.AskOnceAsync(run, report, cancellationToken);
    }

    private async Task<PredictionProfile?> BaselineAsync(string version, CancellationToken cancellationToken)
    {
        if (_baselines.TryGetValue(version, out var known)) return known;
        try
        {
            if (await registry.TryReadDocumentAsync(version, PredictionProfile.FileName, cancellationToken) is not { } json) return null;
            var baseline = json.Deserialize(PipelineJson.Of<PredictionProfile>());
            if (baseline is null || baseline.Stars.Count < 2) return null;
            return _baselines.GetOrAdd(version, baseline);
        }
        catch (Exception exception) when (exception is ModelUnavailableException or JsonException)
        {
            // What the predictions are compared with must not keep them from being published.
            logger.BaselineUnreadable(exception, version, exception.Message);
            return null;
        }
    }
}
