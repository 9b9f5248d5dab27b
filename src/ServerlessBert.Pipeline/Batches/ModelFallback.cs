using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Batches;

/// <summary>
/// A file that was dropped while the pointer led to a damaged version is pinned to what no host can load. The version
/// that was live before answers it instead; the run's document says so, so that all its batches get the same one.
/// </summary>
internal sealed class ModelFallback(RunStore runs, ModelRegistry registry, ModelCache models, ILogger logger)
{
    /// <summary>Leases the version that answers in place of the batch's.</summary>
    /// <param name="message">The batch.</param>
    /// <param name="reason">Why its version cannot be loaded.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="ModelUnavailableException">No other version can answer either; it says why the batch's cannot.</exception>
    public async Task<ModelLease> AcquireAsync(ReviewBatchMessage message, ModelUnavailableException reason,
        CancellationToken cancellationToken)
    {
        if (await runs.TryReadAsync(message.Run, cancellationToken) is not { } run) throw reason;
        if (run.Model != message.Model) return await models.AcquireAsync(run.Model, cancellationToken);

        foreach (string version in await OthersAsync(message.Model, cancellationToken))
        {
            if (await TryAcquireAsync(version, cancellationToken) is not { } lease) continue;
            if (await runs.UpdateAsync(run.Id, now =>
                now.Model == message.Model ? now with { Model = version } : null, cancellationToken) is not null)
            {
                logger.RunRepinned(run.Id, run.Blob, version, reason.Message);
                return lease;
            }
            lease.Dispose();
            // Another worker was first; what it chose holds for the whole file.
            string chosen = (await runs.TryReadAsync(run.Id, cancellationToken))?.Model ?? message.Model;
            return await models.AcquireAsync(chosen, cancellationToken);
        }
        throw reason;
    }

    // What this host serves first: it is in memory, and it is what /api/predict answers with at the same time.
    private async Task<IEnumerable<string>> OthersAsync(string version, CancellationToken cancellationToken)
    {
        var pointer = (await registry.ReadPointerAsync(null, cancellationToken)).Value;
        string[] servable = [.. pointer?.Servable ?? []];
        return (models.Status.Version is { } served ? servable.Prepend(served) : servable).Distinct().Where(other => other != version);
    }

    private async Task<ModelLease?> TryAcquireAsync(string version, CancellationToken cancellationToken)
    {
        try
        {
            return await models.AcquireAsync(version, cancellationToken);
        }
        catch (ModelUnavailableException)
        {
            return null;
        }
    }
}
