using System.ComponentModel.DataAnnotations;
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ServerlessBert.Modeling.Evaluation;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Drift;

/// <summary>Compares each finished file with the evaluation set of the model that answered it.</summary>
public sealed class DriftDetector(ModelRegistry registry, DriftOptions options, DriftRetraining retraining, ILogger<DriftDetector> logger)
{
    // A version never changes, so its baseline is read once.
    private readonly ConcurrentDictionary<string, PredictionBaseline> _baselines = [];

    /// <summary>Compares a run's counts.</summary>
    /// <returns>The comparison; null where the model came without a baseline, as one from elsewhere does.</returns>
    public async Task<DriftReport?> CompareAsync(Run run, BatchStatistics statistics, CancellationToken cancellationToken = default) =>
        await BaselineAsync(run.Model, cancellationToken) is { } baseline ? DriftRule.Compare(statistics, baseline, options) : null;

    /// <summary>Reports drift, and asks for a training where that is wanted; called once, when the run has ended.</summary>
    public async Task ReportAsync(Run run, DriftReport? report, CancellationToken cancellationToken = default)
    {
        if (report is not { IsDrifted: true }) return;
        PipelineMetrics.Drifted(report.Flags);
        logger.Drifted(run.Id, run.Blob, run.Model, report.Reason!);
        if (options.RequestTraining) await retraining.AskOnceAsync(run, report, cancellationToken);
    }

    private async Task<PredictionBaseline?> BaselineAsync(string version, CancellationToken cancellationToken)
    {
        if (_baselines.TryGetValue(version, out var known)) return known;
        try
        {
            if (await registry.TryReadDocumentAsync(version, PredictionBaseline.FileName, cancellationToken) is not { } json) return null;
            var baseline = json.Deserialize(PipelineJson.Of<PredictionBaseline>());
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

/// <summary>When a file's predictions count as drifted; configuration section <c>ServerlessBert:Drift</c>.</summary>
public sealed record DriftOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "ServerlessBert:Drift";

    /// <summary>Least predicted rows of a file, and of the baseline, to compare: fewer say little of a mix of five ratings.</summary>
    [Range(1, int.MaxValue)]
    public int MinRows { get; init; } = 200;

    /// <summary>
    /// Flags the star mix above this population stability index. The usual reading is that under 0.1 nothing changed and
    /// that from 0.25 on something did; 0.2 stands between (Yurdakul and Naranjo 2020, Journal of Risk Model Validation).
    /// </summary>
    [Range(0.0, double.MaxValue)]
    public double StarsIndex { get; init; } = 0.2;

    /// <summary>
    /// Flags the mean confidence when it is this far from the baseline's. The difference of confidences estimates the
    /// difference of accuracies (Guillory et al. 2021, arXiv:2107.03315), so this is about five points of accuracy.
    /// </summary>
    [Range(0.0, 1.0)]
    public double Confidence { get; init; } = 0.05;

    /// <summary>
    /// Flags the share of unknown tokens when it is this far above the baseline's: a word in fifty that the
    /// vocabulary does not have is another language or domain.
    /// </summary>
    [Range(0.0, 1.0)]
    public double UnknownShare { get; init; } = 0.02;

    /// <summary>
    /// Whether drift asks for a training, once for each live model. Off: without new labelled rows a training learns
    /// nothing of what is new.
    /// </summary>
    public bool RequestTraining { get; init; }
}
