using Microsoft.Extensions.Logging;
using ServerlessBert.Pipeline.Models;
using ServerlessBert.Pipeline.Predictions;
using ServerlessBert.Pipeline.Retraining;
using ServerlessBert.Pipeline.Runs;
using ServerlessBert.Pipeline.Storage;
using ServerlessBert.Pipeline.Telemetry;

namespace ServerlessBert.Pipeline.Drift;

/// <summary>
/// Asks for a training when predictions drift: once for each live model, however many files show it and however many
/// hosts see it.
/// </summary>
public sealed class DriftRetraining(PipelineStorage storage, ModelRegistry registry, TrainingRequests requests, TimeProvider time,
    ILogger<DriftRetraining> logger)
{
    private static readonly TimeSpan SendTime = TimeSpan.FromMinutes(1);

    /// <summary>Sends a request, unless one was sent for this model, one waits, or the model is not live any more.</summary>
    public async Task AskOnceAsync(Run run, DriftReport report, CancellationToken cancellationToken = default)
    {
        if ((await registry.CurrentAsync(cancellationToken))?.Version != run.Model) return;
        // Whoever writes the note sends the request. Where that one died in between, the next file's host is the one.
        var note = new JsonBlob<DriftNote>(storage.Container(StorageNames.Runs).GetBlobClient($"drift/{run.Model}.json"));
        var earlier = await note.ReadAsync(null, cancellationToken);
        if (earlier.Value is { } seen && IsHandled(seen)) return;
        if (await requests.CountAsync(cancellationToken) > 0) return;

        var asking = new DriftNote(run.Model, run.Blob, report.Reason!, time.GetUtcNow());
        if (await note.WriteAsync(asking, earlier.ETag, cancellationToken) is not { } mine) return;
        string message = await requests.SendAsync(new TrainingRequest { RequestedBy = "drift" }, cancellationToken);
        await note.WriteAsync(asking with { Message = message }, mine, cancellationToken);
        logger.TrainingRequestedByDrift(run.Model, report.Reason!);
    }

    private bool IsHandled(DriftNote note) => note.Message is not null || time.GetUtcNow() - note.At < SendTime;
}

/// <summary>That drift asked for a training: the document <c>runs/drift/&lt;version&gt;.json</c>.</summary>
/// <param name="Model">The model whose predictions drifted.</param>
/// <param name="Blob">The file that showed it.</param>
/// <param name="Reason">What drifted, in a sentence.</param>
/// <param name="At">When it was seen.</param>
/// <param name="Message">The id of the request's message; null until it is sent.</param>
public sealed record DriftNote(string Model, string Blob, string Reason, DateTimeOffset At, string? Message = null);
